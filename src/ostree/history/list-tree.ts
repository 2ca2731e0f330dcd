/** What `ls` shows: entries of a commit with their attributes, files of a directory before its subdirectories. */
import { printable } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { DirectoryEntry, FileEntry } from '../objects/dirtree.ts';
import { S_IFDIR, S_IFLNK, S_IFMT } from '../objects/file-header.ts';
import type { Xattrs } from '../objects/xattrs.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { Subtree, SubtreeFile } from './find-entry.ts';

export interface ListedEntry {
  /** Absolute below the root of the commit. */
  readonly path: string;
  readonly kind: 'file' | 'link' | 'directory';
  readonly uid: number;
  readonly gid: number;
  /** As in stat(2), type included. */
  readonly mode: number;
  /** Of the content; 0 for links and directories. */
  readonly size: number;
  /** Of a link. */
  readonly target: string | undefined;
  readonly xattrs: Xattrs;
  /** Of the content object; of a directory its dirmeta. */
  readonly checksum: Checksum;
  /** Of a directory. */
  readonly tree: Checksum | undefined;
}

/** How deep: the entry alone, what is in the directory, or everything below. */
export type Depth = 'entry' | 'directory' | 'all';

/** Directories below each other; commits of ours have no more, and nobody could use them. */
const DEEPEST = 2048;

/** @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED, TOO_LARGE */
export function* listTree(reader: ObjectReader, from: Subtree | SubtreeFile, depth: Depth): Generator<ListedEntry> {
  if (from.kind === 'file') {
    yield fileEntry(reader, from.path, from.checksum);
    return;
  }
  yield directoryEntry(reader, from);
  if (depth !== 'entry') yield* below(reader, from, depth === 'all' ? DEEPEST : 1);
}

function* below(reader: ObjectReader, { path, tree }: Subtree, levels: number): Generator<ListedEntry> {
  if (levels === 0) throw new OstreeError('TOO_LARGE', `${printable(path)}: more than ${DEEPEST} directories deep`);
  const { files, directories } = reader.dirTree(tree);
  for (const { name, checksum } of files) yield fileEntry(reader, childPath(path, { name }), checksum);
  for (const directory of directories) {
    const inner = subtreeOf(path, directory);
    yield directoryEntry(reader, inner);
    if (levels > 1) yield* below(reader, inner, levels - 1);
  }
}

export function childPath(parent: string, { name }: Pick<FileEntry, 'name'>): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

export function subtreeOf(parent: string, entry: DirectoryEntry): Subtree {
  return { kind: 'directory', path: childPath(parent, entry), tree: entry.tree, meta: entry.meta };
}

function directoryEntry(reader: ObjectReader, { path, tree, meta }: Subtree): ListedEntry {
  return { ...reader.dirMeta(meta), path, kind: 'directory', size: 0, target: undefined, checksum: meta, tree };
}

function fileEntry(reader: ObjectReader, path: string, checksum: Checksum): ListedEntry {
  const stored = reader.file(checksum);
  stored.close();
  const { header, size } = stored;
  const kind = header.target === undefined ? 'file' : 'link';
  return { ...header, path, kind, size, checksum, tree: undefined };
}

const LETTERS: Readonly<Record<number, string>> = { [S_IFDIR]: 'd', [S_IFLNK]: 'l' };

/** `-00644 0 0     13 `: type and mode, owner, group, size. */
export function formatAttributes({ mode, uid, gid, size }: ListedEntry): string {
  const permissions = (mode & ~S_IFMT).toString(8).padStart(4, '0');
  return `${LETTERS[mode & S_IFMT] ?? '-'}0${permissions} ${uid} ${gid} ${String(size).padStart(6)}`;
}
