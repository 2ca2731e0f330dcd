import { Command } from 'commander';
import type { Vardict, Variant } from '../../../gvariant/index.ts';
import { UsageError } from '../../arguments.ts';
import type { RepoValues } from '../../shared-options.ts';
import { formatGlibSize } from './glib-size.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues {
  readonly raw?: true;
  readonly byteswap: boolean;
  readonly printMetadataKey?: string;
  readonly listMetadataKeys?: true;
  readonly printDetachedMetadataKey?: string;
  readonly listDetachedMetadataKeys?: true;
  readonly printRelated?: true;
  readonly printSizes?: true;
  readonly gpgHomedir?: string;
  readonly gpgVerifyRemote?: string;
}

export function showCommand(): Command {
  const shape = new Command('show')
    .description('Show a commit with its signatures, or any other object by its checksum.')
    .argument('<object>', 'a ref or a checksum')
    .option('--raw', 'show all of it as GVariant text')
    .option('-B, --no-byteswap', 'show numbers as they are stored; otherwise their bytes are swapped')
    .option('--list-metadata-keys', 'the names of the metadata of a commit')
    .option('--print-metadata-key <key>', 'one of them, as GVariant text')
    .option('--list-detached-metadata-keys', 'the names of its detached metadata')
    .option('--print-detached-metadata-key <key>', 'one of them')
    .option('--print-related', 'the related commits')
    .option('--print-sizes', 'what a client would have to fetch, when the commit tells')
    .option('--gpg-homedir <directory>', 'the public keys of this home of GnuPG count, too')
    .option('--gpg-verify-remote <remote>', 'the keys of this remote count alone');
  const examples = [
    'ostree-container repo show --repo /srv/repo os/main',
    'ostree-container repo show --repo /srv/repo --print-metadata-key version os/main',
  ];
  return repositoryCommand<Values>(shape, examples, async (values, [name = ''], opened) => {
    assertWords(values);
    const key = values.printMetadataKey ?? values.printDetachedMetadataKey;
    if (key !== undefined || values.listMetadataKeys === true || values.listDetachedMetadataKeys === true)
      await showMetadata(opened, values, name, key);
    else if (values.printRelated === true) showRelated(opened, name);
    else if (values.printSizes === true) showSizes(opened, name);
    else await showObject(opened, values, name);
    return 0;
  });
}

function assertWords(values: Values): void {
  const wanted = [
    values.printMetadataKey,
    values.printDetachedMetadataKey,
    values.listMetadataKeys,
    values.listDetachedMetadataKeys,
    values.printRelated,
    values.printSizes,
    values.raw,
  ].filter((value) => value !== undefined);
  if (wanted.length > 1) throw new UsageError('say one of --raw, --print-... and --list-... at a time');
}

async function showMetadata(opened: Opened, values: Values, name: string, key: string | undefined): Promise<void> {
  const { output, ostree } = opened;
  const isDetached = values.printDetachedMetadataKey !== undefined || values.listDetachedMetadataKeys === true;
  const { commit, metadata } = metadataOf(opened, name, isDetached);
  const keys = metadata.map(([each]) => each).sort();
  if (key === undefined) {
    output.results(keys);
    output.document('ostree-container.repo-show/1', { commit, detached: isDetached, keys });
    return;
  }
  const found = metadata.find(([each]) => each === key)?.[1];
  if (found === undefined) {
    throw new ostree.OstreeError('PATH_MISSING', `commit ${commit}: no metadata key "${key}"`, { subject: key });
  }
  const value = await formatNumbers(opened, found, values);
  output.result(value);
  output.document('ostree-container.repo-show/1', { commit, detached: isDetached, key, type: found.signature, value });
}

function metadataOf({ ostree, repository }: Opened, name: string, isDetached: boolean) {
  const reader = ostree.objectsOf(repository);
  const commit = ostree.resolveRevision(repository, name);
  if (!isDetached) return { commit, metadata: reader.commit(commit).metadata };
  if (!reader.has(commit, 'commitmeta')) {
    throw new ostree.OstreeError('OBJECT_MISSING', `commit ${commit}: no detached metadata`, { subject: commit });
  }
  return { commit, metadata: reader.detached(commit) };
}

async function formatNumbers({ ostree }: Opened, value: Variant, { byteswap }: Values): Promise<string> {
  const { formatVariant } = await import('../../../gvariant/index.ts');
  return byteswap ? ostree.formatRaw(value) : formatVariant(value);
}

function showRelated({ ostree, repository, output }: Opened, name: string): void {
  const commit = ostree.resolveRevision(repository, name);
  const { related } = ostree.objectsOf(repository).commit(commit);
  output.results(related.map(([ref, checksum]) => `${ref} ${checksum}`));
  const documents = related.map(([ref, checksum]) => ({ name: ref, commit: checksum }));
  output.document('ostree-container.repo-show/1', { commit, related: documents });
}

function showSizes({ ostree, repository, output }: Opened, name: string): void {
  const reader = ostree.objectsOf(repository);
  const commit = ostree.resolveRevision(repository, name);
  const sizes = ostree.sizesOf(reader.commit(commit));
  if (sizes === undefined) {
    throw new ostree.OstreeError('PATH_MISSING', `commit ${commit}: no metadata key "ostree.sizes"`, {
      subject: commit,
    });
  }
  const [needed, total] = [ostree.totalOf(ostree.neededOf(sizes, reader)), ostree.totalOf(sizes)];
  output.results([
    `Compressed size (needed/total): ${formatGlibSize(needed.archived)}/${formatGlibSize(total.archived)}`,
    `Unpacked size (needed/total): ${formatGlibSize(needed.unpacked)}/${formatGlibSize(total.unpacked)}`,
    `Number of objects (needed/total): ${needed.objects}/${total.objects}`,
  ]);
  output.document('ostree-container.repo-show/1', { commit, needed: { ...needed }, total: { ...total } });
}

async function showObject(opened: Opened, values: Values, name: string): Promise<void> {
  const { ostree, repository } = opened;
  const reader = ostree.objectsOf(repository);
  if (!ostree.isChecksum(name)) return showCommit(opened, values, ostree.resolveRevision(repository, name));
  if (reader.has(name, 'commit')) return showCommit(opened, values, name);
  for (const type of ['dirmeta', 'dirtree'] as const) {
    if (reader.has(name, type)) return showMetadataObject(opened, values, type, name);
  }
  showFile(opened, name);
}

async function showCommit(opened: Opened, values: Values, checksum: string): Promise<void> {
  const { output, ostree, repository } = opened;
  const reader = ostree.objectsOf(repository);
  const object = reader.metadata(checksum, 'commit');
  const commit = ostree.decodeCommit(object, `commit ${checksum}`);
  const detached: Vardict = reader.detached(checksum);
  const { gpgHomedir, gpgVerifyRemote: remote } = values;
  const reports = await ostree.inspectSignatures(repository, object, detached, { gpgHomedir, remote });
  if (output.options.json) {
    const { commitDocument } = await import('./commit-document.ts');
    const { signatureDocument } = await import('./signature-document.ts');
    const signatures = reports.map(signatureDocument);
    output.document('ostree-container.repo-show/1', {
      type: 'commit',
      ...commitDocument(checksum, commit),
      detachedMetadata: detached.map(([key]) => key),
      signatures,
    });
    return;
  }
  const { signatureLines } = await import('./signature-text.ts');
  if (values.raw === true) await showRaw(opened, values, 'commit', checksum);
  else output.results(ostree.describeCommit(checksum, commit));
  output.results(signatureLines(reports));
}

async function showRaw(
  opened: Opened,
  values: Values,
  type: 'commit' | 'dirmeta' | 'dirtree',
  checksum: string,
): Promise<void> {
  const { output, ostree, repository } = opened;
  const object = ostree.objectsOf(repository).metadata(checksum, type);
  const text = await formatNumbers(opened, ostree.variantOfObject(type, object), values);
  output.results([`${type} ${checksum}`, text]);
}

async function showMetadataObject(
  opened: Opened,
  values: Values,
  type: 'dirmeta' | 'dirtree',
  checksum: string,
): Promise<void> {
  const { output, ostree, repository } = opened;
  if (values.raw === true) await showRaw(opened, values, type, checksum);
  else output.result(`${type} ${checksum}`);
  const reader = ostree.objectsOf(repository);
  if (type === 'dirmeta') {
    const { uid, gid, mode, xattrs } = reader.dirMeta(checksum);
    const attributes = { mode: formatMode(mode), uid, gid, xattrs: ostree.formatXattrs(xattrs) };
    output.document('ostree-container.repo-show/1', { type, checksum, ...attributes });
    return;
  }
  const { files, directories } = reader.dirTree(checksum);
  output.document('ostree-container.repo-show/1', {
    type,
    checksum,
    files: files.map((each) => ({ ...each })),
    directories: directories.map((each) => ({ ...each })),
  });
}

function showFile({ ostree, repository, output }: Opened, checksum: string): void {
  const stored = ostree.objectsOf(repository).file(checksum);
  stored.close();
  const { header, size } = stored;
  const { target, uid, gid } = header;
  const [mode, xattrs] = [formatMode(header.mode), ostree.formatXattrs(header.xattrs)];
  output.results([
    `Object: ${checksum}`,
    'Type: file',
    `File Type: ${target === undefined ? 'regular' : 'symlink'}`,
    target === undefined ? `Size: ${size}` : `Target: ${target}`,
    `Mode: ${mode}`,
    `Uid: ${uid}`,
    `Gid: ${gid}`,
    `Extended Attributes: { ${xattrs} }`,
  ]);
  output.document('ostree-container.repo-show/1', {
    type: 'file',
    checksum,
    size,
    target: target ?? null,
    mode,
    uid,
    gid,
    xattrs,
  });
}

function formatMode(mode: number): string {
  return `0${mode.toString(8).padStart(4, '0')}`;
}
