/** Commits of made-up trees, and what must be true of them after a delta. */
import assert from 'node:assert/strict';
import type { Vardict } from '../../gvariant/index.ts';
import { Reach, reachTree } from '../history/reach.ts';
import { fsckObjects } from '../jobs/fsck-objects.ts';
import type { Checksum } from '../objects/checksum.ts';
import { encodeCommit } from '../objects/commit.ts';
import { encodeDetached } from '../objects/detached.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { type DirectoryEntry, encodeDirTree, type FileEntry } from '../objects/dirtree.ts';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../objects/file-header.ts';
import { NO_XATTRS, type Xattrs } from '../objects/xattrs.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import type { ObjectWriter } from '../storage/object-writer.ts';
import { withTransaction } from '../storage/transaction.ts';

export interface MadeFile {
  readonly content: Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly xattrs?: Xattrs;
}

export interface MadeLink {
  readonly target: string;
}

/** Path without a leading slash to what is there; directories are made as needed. */
export type MadeTree = Readonly<Record<string, MadeFile | MadeLink>>;

export const SIGNAL: AbortSignal = new AbortController().signal;

export interface MadeCommit {
  readonly parent?: Checksum;
  readonly detached?: Vardict;
  readonly timestamp?: number;
}

export function commitTree(repository: Repository, tree: MadeTree, made: MadeCommit = {}): Promise<Checksum> {
  return withTransaction(repository, { signal: SIGNAL, fsync: false }, async ({ writer }) => {
    const meta = encodeDirMeta({ uid: 0, gid: 0, mode: S_IFDIR | 0o755, xattrs: NO_XATTRS });
    const rootMeta = writer.putMetadata('dirmeta', meta).checksum;
    const commit = encodeCommit({
      metadata: [],
      parent: made.parent,
      related: [],
      subject: '',
      body: '',
      timestamp: made.timestamp ?? 1_700_000_000,
      rootTree: putTree(writer, tree, rootMeta),
      rootMeta,
    });
    const { checksum } = writer.putMetadata('commit', commit);
    if (made.detached !== undefined) writer.putNamedMetadata('commitmeta', checksum, encodeDetached(made.detached));
    return checksum;
  });
}

function putTree(writer: ObjectWriter, tree: MadeTree, meta: Checksum): Checksum {
  const files: FileEntry[] = [];
  const below = new Map<string, Record<string, MadeFile | MadeLink>>();
  for (const [path, file] of Object.entries(tree)) {
    const [name = '', ...rest] = path.split('/');
    if (rest.length === 0) files.push({ name, checksum: putFile(writer, file) });
    else below.set(name, { ...below.get(name), [rest.join('/')]: file });
  }
  const directories: DirectoryEntry[] = [...below].map(([name, inside]) => ({
    name,
    tree: putTree(writer, inside, meta),
    meta,
  }));
  return writer.putMetadata('dirtree', encodeDirTree({ files, directories })).checksum;
}

function putFile(writer: ObjectWriter, file: MadeFile | MadeLink): Checksum {
  if ('target' in file) {
    const header = { uid: 0, gid: 0, mode: S_IFLNK | 0o777, target: file.target, xattrs: NO_XATTRS };
    return writer.putFile(header, new Uint8Array()).checksum;
  }
  const { content, mode = 0o644, uid = 0, xattrs = NO_XATTRS } = file;
  const sink = writer.beginFile({ uid, gid: 0, mode: S_IFREG | mode, target: undefined, xattrs }, content.length);
  sink.write(content);
  return sink.finish().checksum;
}

/** Everything that the commit reaches is there and has the content of its name. */
export async function assertWhole(repository: Repository, commit: Checksum): Promise<void> {
  const reader = objectsOf(repository);
  const reach = new Reach();
  reach.commits.add(commit);
  reachTree(reader, reader.commit(commit), reach);
  const { found: findings } = await fsckObjects({ reader, writer: undefined }, { objects: [...reach.names()] });
  assert.deepEqual(findings, []);
}

/** Repeatable bytes that do not compress. */
export function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = seed * 2654435761 + 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** A copy with other bytes from `at` on. */
export function changed(bytes: Uint8Array, at: number, other: Uint8Array): Buffer {
  const copy = Buffer.from(bytes);
  copy.set(other, at);
  return copy;
}
