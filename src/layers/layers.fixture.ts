/** Layers made by hand, and what became of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratch } from '../../test/support/scratch.ts';
import {
  createRepository,
  MutableTree,
  openRepository,
  type Repository,
  type RepositoryMode,
  type Root,
  type Transaction,
  withTransaction,
} from '../ostree/index.ts';
import { TarWriter, type TarWriterEntry } from '../tar/index.ts';
import { importLayer } from './import/import-layer.ts';
import type { ImportedLayer, ImportOptions } from './import/options.ts';
import { SAME_PATHS } from './path-rule.ts';

export const signal: AbortSignal = new AbortController().signal;

/** An entry, and the text of a file. */
export type Made = Partial<TarWriterEntry> & { readonly path: string; readonly text?: string };

export const file = (path: string, text = path, more: Partial<TarWriterEntry> = {}): Made => ({ path, text, ...more });
export const directory = (path: string, mode = 0o755, more: Partial<TarWriterEntry> = {}): Made => ({
  path,
  type: 'directory',
  mode,
  ...more,
});
export const symlink = (path: string, linkTarget: string): Made => ({ path, type: 'symlink', linkTarget });
export const hardlink = (path: string, linkTarget: string): Made => ({ path, type: 'hardlink', linkTarget });

export async function tarOf(entries: readonly Made[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const writer = new TarWriter((chunk) => void chunks.push(chunk));
  for (const { text, ...entry } of entries) {
    const data = text === undefined ? undefined : Buffer.from(text);
    await writer.add({ type: 'file', mode: 0o644, uid: 0, gid: 0, ...entry }, data);
  }
  await writer.finish();
  return Buffer.concat(chunks);
}

/** In pieces that begin and end anywhere, in one buffer that is used again. */
export async function* streamOf(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  const room = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const length = Math.min(size, bytes.length - at);
    room.set(bytes.subarray(at, at + length));
    yield room.subarray(0, length);
    await Promise.resolve();
    room.fill(0xee);
  }
}

export function repositoryFor(t: TestContext, mode: RepositoryMode = 'archive'): Repository {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode });
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

export function transact<T>(repository: Repository, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return withTransaction(repository, { signal, fsync: false }, work);
}

export const PLAIN: ImportOptions = { paths: SAME_PATHS, specials: 'refuse', threads: 0, signal };

export async function layerOf(
  transaction: Transaction,
  entries: readonly Made[],
  options: Partial<ImportOptions> = {},
): Promise<ImportedLayer> {
  return importLayer(transaction, streamOf(await tarOf(entries)), { ...PLAIN, ...options });
}

/** Every path of a tree: `755` of a directory, `-> TARGET` of a link, `644 TEXT` of a file, with the owner unless root. */
export function listing(transaction: Transaction, tree: MutableTree | Root): Record<string, string> {
  const { reader } = transaction.writer;
  const all: Record<string, string> = {};
  const visit = (at: MutableTree, path: string): void => {
    if (at.meta !== undefined) all[`${path}/`] = attributes(reader.dirMeta(at.meta));
    for (const [name, entry] of at.entries()) {
      const below = path === '' ? name : `${path}/${name}`;
      if (entry instanceof MutableTree) visit(entry, below);
      else all[below] = describeFile(transaction, entry);
    }
  };
  visit(tree instanceof MutableTree ? tree : MutableTree.of(reader, tree), '');
  return all;
}

/** Not shown in full. */
const LONG = 1000;

function describeFile({ writer }: Transaction, checksum: string): string {
  const stored = writer.reader.file(checksum);
  try {
    const { header } = stored;
    if (header.target !== undefined) return `-> ${header.target}`;
    const text = stored.size > LONG ? `${stored.size} bytes` : Buffer.from(stored.bytes()).toString('latin1');
    return `${attributes(header)} ${text}`.trimEnd();
  } finally {
    stored.close();
  }
}

function attributes(found: { mode: number; uid: number; gid: number; xattrs: readonly unknown[] }): string {
  const { mode, uid, gid, xattrs } = found;
  const owner = uid === 0 && gid === 0 ? '' : ` ${uid}:${gid}`;
  return `${(mode & 0o7777).toString(8)}${owner}${xattrs.length === 0 ? '' : ` +${xattrs.length}`}`;
}

/** What came of a layer, with its tree as a listing. */
export type Imported = Omit<ImportedLayer, 'tree'> & { readonly list: Record<string, string> };

export function imported(
  t: TestContext,
  entries: readonly Made[],
  options: Partial<ImportOptions> = {},
): Promise<Imported> {
  return transact(repositoryFor(t), async (transaction) => {
    const { tree, ...rest } = await layerOf(transaction, entries, options);
    const root = tree.write(transaction.writer);
    return { ...rest, list: listing(transaction, root) };
  });
}

export const refused = (t: TestContext, entries: readonly Made[], code: string, options: Partial<ImportOptions> = {}) =>
  assert.rejects(imported(t, entries, options), { code });
