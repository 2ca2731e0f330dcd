import { Command, InvalidArgumentError } from 'commander';
import type { Difference, Folder } from '../../../ostree/index.ts';
import { UsageError } from '../../arguments.ts';
import type { RepoValues } from '../../shared-options.ts';
import { formatGlibSize } from './glib-size.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues {
  readonly stats?: true;
  readonly fsDiff?: true;
  readonly xattrs: boolean;
  readonly ownerUid?: number;
  readonly ownerGid?: number;
}

export function diffCommand(): Command {
  const shape = new Command('diff')
    .description(
      'Compare two commits, or a commit with a directory on the disk. One commit alone is compared with its parent.',
    )
    .argument('<rev-or-dir>', 'a ref or a checksum; what begins with / or ./ is a directory')
    .argument('[rev-or-dir]', 'what it became')
    .option('--fs-diff', 'list what differs (default, unless --stats is given)')
    .option('--stats', 'count the objects that two commits share')
    .option('--no-xattrs', 'as if the files of directories had no extended attributes')
    .option('--owner-uid <uid>', 'as if the files of directories belonged to this user', readId)
    .option('--owner-gid <gid>', 'and to this group', readId);
  const examples = [
    'ostree-container repo diff --repo /srv/repo os/main^ os/main',
    'ostree-container repo diff --repo /srv/repo os/main ./root',
  ];
  return repositoryCommand<Values>(shape, examples, (values, [first = '', second], opened) => {
    const { output } = opened;
    if (second === undefined && isDirectory(first)) {
      throw new UsageError('a directory has no parent to compare it with', 'name a commit before it');
    }
    const [before, after] = second === undefined ? [`${first}^`, first] : [first, second];
    const wantsFiles = values.fsDiff === true || values.stats !== true;
    const differences = wantsFiles ? differencesOf(opened, before, after, values) : undefined;
    const stats = values.stats === true ? statsOf(opened, before, after) : undefined;
    if (differences !== undefined) output.results(differences.map((each) => formatDifference(each, before, after)));
    if (stats !== undefined) {
      output.results([
        `[A] Object Count: ${stats.before}`,
        `[B] Object Count: ${stats.after}`,
        `Common Object Count: ${stats.common}`,
        `Common Object Size: ${formatGlibSize(stats.commonBytes)}`,
      ]);
    }
    const documents = differences?.map(({ change, path }) => ({ change, path: `/${path}` }));
    const counts = stats === undefined ? null : { ...stats };
    output.document('ostree-container.repo-diff/1', { differences: documents ?? null, stats: counts });
    return undefined;
  });
}

function differencesOf(opened: Opened, before: string, after: string, values: Values): readonly Difference[] {
  // Owners are overridden in what comes second: so it is in the program ostree, too.
  const overridden = { uid: values.ownerUid, gid: values.ownerGid };
  return opened.ostree.diffTrees(
    folderOf(opened, before, values, { uid: undefined, gid: undefined }),
    folderOf(opened, after, values, overridden),
  );
}

function isDirectory(word: string): boolean {
  return word.startsWith('/') || word.startsWith('./');
}

function folderOf(
  { ostree, repository }: Opened,
  word: string,
  { xattrs }: Values,
  owner: { readonly uid: number | undefined; readonly gid: number | undefined },
): Folder {
  const { mode, config } = repository;
  const ignoreXattrs = !xattrs || config.disableXattrs || mode === 'bare-user-only';
  if (isDirectory(word)) return ostree.diskFolder(word, { ...owner, ignoreXattrs });
  const reader = ostree.objectsOf(repository);
  return ostree.commitFolder(reader, reader.commit(ostree.resolveRevision(repository, word)).rootTree);
}

function statsOf({ ostree, repository }: Opened, before: string, after: string) {
  const [a, b] = [before, after].map((word) => ostree.resolveRevision(repository, word));
  return ostree.commonObjects(ostree.objectsOf(repository), a ?? '', b ?? '');
}

const LETTERS: Readonly<Record<Difference['change'], string>> = { modified: 'M', removed: 'D', added: 'A' };

/** Paths of a commit are absolute, those of a directory are not. */
function formatDifference({ change, path }: Difference, before: string, after: string): string {
  const isOnDisk = isDirectory(change === 'added' ? after : before);
  return `${LETTERS[change]}    ${isOnDisk ? '' : '/'}${path}`;
}

function readId(text: string): number {
  if (!/^[0-9]{1,10}$/.test(text) || Number(text) >= 2 ** 32) throw new InvalidArgumentError('Expected a number.');
  return Number(text);
}
