/** Contents, headers and ways to store them, for tests. */
import fs from 'node:fs';
import { seededRandom } from '../../../test/support/mutate.ts';
import type { FileHeader } from '../objects/file-header.ts';
import { NO_XATTRS, type Xattr } from '../objects/xattrs.ts';
import { SIGNAL } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import type { ObjectWriter, Stored } from './object-writer.ts';
import type { StoredFile } from './stored-file.ts';
import { type Transaction, withTransaction } from './transaction.ts';

/** Half text, half noise: neither trivial to deflate nor useless. */
export function content(size: number, seed = 1): Buffer {
  const random = seededRandom(seed);
  const noise = Buffer.from(Array.from({ length: Math.min(size, 40_000) }, () => random(256)));
  const bytes = Buffer.alloc(size, 'some text that comes again ');
  for (let at = 0; at < size; at += 2 * noise.length) bytes.set(noise.subarray(0, size - at), at);
  return bytes;
}

export function file(attributes: Partial<FileHeader> = {}): FileHeader {
  return { uid: 0, gid: 0, mode: 0o100644, target: undefined, xattrs: NO_XATTRS, ...attributes };
}

export function link(target: string, attributes: Partial<FileHeader> = {}): FileHeader {
  return file({ mode: 0o120777, target, ...attributes });
}

export function xattr(name: string, value: string | Uint8Array): Xattr {
  return [Buffer.from(name), Buffer.from(value)];
}

/** Not flushed: a whole disk waits for that. */
export function inTransaction<T>(
  repository: Repository,
  work: (transaction: Transaction) => T | Promise<T>,
): Promise<T> {
  return withTransaction(repository, { signal: SIGNAL, fsync: false }, async (transaction) => work(transaction));
}

/** In uneven pieces. */
export function putInPieces(writer: ObjectWriter, header: FileHeader, bytes: Uint8Array, expected?: string): Stored {
  const sink = writer.beginFile(header, bytes.length);
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7 + 13) % 1_500_000) {
    sink.write(bytes.subarray(at, at + size));
    size = Math.min(size, bytes.length - at);
  }
  return sink.finish(expected);
}

export async function readBack(stored: StoredFile): Promise<{ header: FileHeader; size: number; bytes: Buffer }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stored.chunks()) chunks.push(Buffer.from(chunk));
    return { header: stored.header, size: stored.size, bytes: Buffer.concat(chunks) };
  } finally {
    stored.close();
  }
}

/** Everything below a directory, names only. */
export function namesBelow(path: string): string[] {
  return fs.readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
}

export function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}
