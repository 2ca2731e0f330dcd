import { Command } from 'commander';
import type { ListedEntry } from '../../../ostree/index.ts';
import type { RepoValues } from '../../shared-options.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues {
  readonly dironly?: true;
  readonly recursive?: true;
  readonly checksum?: true;
  readonly xattrs?: true;
  readonly nulFilenamesOnly?: true;
}

export function lsCommand(): Command {
  const shape = new Command('ls')
    .description('List the files of a commit: type and mode, owner, group, size, path, and the target of a link.')
    .argument('<commit>', 'a ref or a checksum')
    .argument('[path...]', 'files or directories (default: /)')
    .option('-d, --dironly', 'a directory itself, not what is in it')
    .option('-R, --recursive', 'everything below, too')
    .option('-C, --checksum', 'with checksums: of a directory those of its contents and of its attributes')
    .option('-X, --xattrs', 'with extended attributes')
    .option('--nul-filenames-only', 'paths alone, each ended by a NUL');
  const examples = [
    'ostree-container repo ls --repo /srv/repo os/main /usr/bin',
    'ostree-container repo ls --repo /srv/repo -R --nul-filenames-only os/main | xargs -0 ...',
  ];
  return repositoryCommand<Values>(shape, examples, (values, [rev = '', ...paths], opened) => {
    const { output, ostree, repository } = opened;
    const commit = ostree.resolveRevision(repository, rev);
    const entries = entriesOf(opened, commit, values, paths.length === 0 ? ['/'] : paths);
    if (output.options.json) {
      const documents = [...entries].map((entry) => documentOf(opened, entry));
      output.document('ostree-container.repo-ls/1', { commit, entries: documents });
    } else if (values.nulFilenamesOnly === true) writeNames(entries);
    else output.results(linesOf(opened, entries, values));
    return undefined;
  });
}

function* entriesOf(
  { ostree, repository }: Opened,
  commit: string,
  { dironly, recursive }: Values,
  paths: readonly string[],
): Generator<ListedEntry> {
  const reader = ostree.objectsOf(repository);
  const root = reader.commit(commit);
  const depth = recursive === true ? 'all' : dironly === true ? 'entry' : 'directory';
  for (const path of paths) yield* ostree.listTree(reader, ostree.findEntry(reader, root, path), depth);
}

function* linesOf({ ostree }: Opened, entries: Iterable<ListedEntry>, values: Values): Generator<string> {
  for (const entry of entries) {
    const { path, tree, checksum, xattrs, target } = entry;
    const sums = tree === undefined ? checksum : `${tree} ${checksum}`;
    yield [
      ostree.formatAttributes(entry),
      ...(values.checksum === true ? [sums] : []),
      ...(values.xattrs === true ? [`{ ${ostree.formatXattrs(xattrs)} }`] : []),
      target === undefined ? path : `${path} -> ${target}`,
    ].join(' ');
  }
}

/** As they are: this is for programs. */
function writeNames(entries: Iterable<ListedEntry>): void {
  let text = '';
  for (const { path } of entries) {
    text += `${path}\0`;
    if (text.length < 65_536) continue;
    process.stdout.write(text);
    text = '';
  }
  process.stdout.write(text);
}

function documentOf({ ostree }: Opened, entry: ListedEntry) {
  const { path, kind, mode, uid, gid, size, target = null, checksum, tree = null, xattrs } = entry;
  const permissions = `0${(mode & 0o7777).toString(8).padStart(4, '0')}`;
  const values = xattrs.length === 0 ? null : ostree.formatXattrs(xattrs);
  return { path, kind, mode: permissions, uid, gid, size, target, checksum, tree, xattrs: values };
}
