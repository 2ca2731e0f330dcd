/** Commits of made-up trees, and their streams. */
import { join } from 'node:path';
import { scratch } from '../../../test/support/scratch.ts';
import {
  type Checksum,
  createRepository,
  encodeCommit,
  encodeDirMeta,
  encodeDirTree,
  openRepository,
  type Repository,
  type RepositoryMode,
  S_IFDIR,
  S_IFLNK,
  S_IFREG,
  type Transaction,
  withTransaction,
} from '../../ostree/index.ts';
import { exportTar } from './export/export-tar.ts';

export const SIGNAL: AbortSignal = new AbortController().signal;

type Attributes = readonly (readonly [name: string, value: string])[];
export interface MadeFile {
  readonly content: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly xattrs?: Attributes;
}
export interface MadeLink {
  readonly target: string;
  readonly xattrs?: Attributes;
}
export interface MadeFolder {
  readonly inside: MadeTree;
  readonly mode?: number;
  readonly uid?: number;
}
export type MadeTree = Readonly<Record<string, MadeFile | MadeLink | MadeFolder>>;

type Test = Parameters<typeof scratch>[0];

export function newRepository(t: Test, mode: RepositoryMode = 'archive'): Repository {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode });
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

export function transact<T>(repository: Repository, work: (transaction: Transaction) => T | Promise<T>): Promise<T> {
  return withTransaction(repository, { signal: SIGNAL, fsync: false }, async (transaction) => work(transaction));
}

export function commitTree(repository: Repository, tree: MadeTree, detached?: Uint8Array): Promise<Checksum> {
  return transact(repository, (transaction) => {
    const { writer } = transaction;
    const { tree: rootTree, meta: rootMeta } = putFolder(transaction, { inside: tree });
    const facts = { metadata: [], parent: undefined, related: [], subject: 'made', body: '', timestamp: 1_700_000_000 };
    const { checksum } = writer.putMetadata('commit', encodeCommit({ ...facts, rootTree, rootMeta }));
    if (detached !== undefined) writer.putNamedMetadata('commitmeta', checksum, detached);
    return checksum;
  });
}

function putFolder(transaction: Transaction, { inside, mode = 0o755, uid = 0 }: MadeFolder) {
  const { writer } = transaction;
  const files: { name: string; checksum: Checksum }[] = [];
  const directories: { name: string; tree: Checksum; meta: Checksum }[] = [];
  for (const [name, node] of Object.entries(inside)) {
    if ('inside' in node) directories.push({ name, ...putFolder(transaction, node) });
    else files.push({ name, checksum: putFile(transaction, node) });
  }
  const meta = encodeDirMeta({ uid, gid: uid, mode: S_IFDIR | mode, xattrs: [] });
  return {
    tree: writer.putMetadata('dirtree', encodeDirTree({ files, directories })).checksum,
    meta: writer.putMetadata('dirmeta', meta).checksum,
  };
}

function putFile({ writer }: Transaction, node: MadeFile | MadeLink): Checksum {
  const xattrs = [...(node.xattrs ?? [])]
    .map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const)
    .sort(([a], [b]) => Buffer.compare(a, b));
  if ('target' in node) {
    const header = { uid: 0, gid: 0, mode: S_IFLNK | 0o777, target: node.target, xattrs };
    return writer.putFile(header, new Uint8Array()).checksum;
  }
  const { content, mode = 0o644, uid = 0 } = node;
  const header = { uid, gid: uid, mode: S_IFREG | mode, target: undefined, xattrs };
  return writer.putFile(header, Buffer.from(content as string)).checksum;
}

export async function exported(repository: Repository, commit: Checksum): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await exportTar(repository, commit, (chunk) => void chunks.push(Buffer.from(chunk)), { signal: SIGNAL });
  return Buffer.concat(chunks);
}
