/** Images in a destination's store: is one whole, and what a missing one takes. */
import { createHash, type Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { CodedError } from '../../base/error.ts';
import { formatBytes } from '../../base/text.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { freeBytes } from '../../linux/files/durable.ts';
import { TakoError } from '../error.ts';
import type { ManifestEntry } from '../manifest/manifest.ts';

const CHUNK_BYTES = 2 ** 20;
/** Between two looks at signals and other work while a file is hashed. */
const CHUNKS_PER_TURN = 16;

/** The partial download of an image. */
export function partName(sha256: string): string {
  return `.${sha256}.part`;
}

/** The image under its final name: whole, absent, or not what the manifest says. */
export async function inspectImage(
  store: Directory | undefined,
  entry: Pick<ManifestEntry, 'sha256' | 'size'>,
  verify: boolean,
  signal: AbortSignal,
): Promise<'whole' | 'absent' | 'damaged'> {
  const stats = store?.lstat(entry.sha256);
  if (store === undefined || stats === undefined) return 'absent';
  if (!stats.isFile() || BigInt(stats.size) !== entry.size) return 'damaged';
  if (!verify) return 'whole';
  const file = store.openRegular(entry.sha256);
  if (file === undefined) return 'absent';
  try {
    const hash = createHash('sha256');
    await hashFile(file.fd, hash, signal);
    return hash.digest('hex') === entry.sha256 ? 'whole' : 'damaged';
  } finally {
    fs.closeSync(file.fd);
  }
}

/** Feed a whole file, from its first byte, into a hash; the number of bytes comes back. */
export async function hashFile(fd: number, hash: Hash, signal: AbortSignal): Promise<number> {
  return hashChunks(chunksOf(fd), hash, signal);
}

function* chunksOf(fd: number): Generator<Uint8Array, void, undefined> {
  const room = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = 0; ; ) {
    const length = fs.readSync(fd, room, 0, CHUNK_BYTES, position);
    if (length === 0) return;
    yield room.subarray(0, length);
    position += length;
  }
}

export async function hashChunks(chunks: Iterable<Uint8Array>, hash: Hash, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  let turn = 0;
  for (const chunk of chunks) {
    hash.update(chunk);
    bytes += chunk.length;
    if (++turn % CHUNKS_PER_TURN !== 0) continue;
    signal.throwIfAborted();
    await setImmediate();
  }
  return bytes;
}

/** Bytes of an image that a download would still have to bring, as far as sizes tell. */
export function missingBytes(store: Directory | undefined, entry: ManifestEntry): number {
  const part = store?.lstat(partName(entry.sha256));
  const there = part?.isFile() && BigInt(part.size) <= entry.size ? part.size : 0;
  return sizeOf(entry) - there;
}

/** The size as a number. @throws TakoError INVALID_SIZE beyond 2^53-1, which no file system holds */
export function sizeOf(entry: ManifestEntry): number {
  if (entry.size <= Number.MAX_SAFE_INTEGER) return Number(entry.size);
  throw new TakoError('INVALID_SIZE', `image ${entry.version.text}: ${entry.size} bytes are more than any file holds`);
}

/** @throws CodedError DISK_FULL, before the first byte is written */
export function assertSpace(store: Directory, needed: number, what: string): void {
  const free = freeBytes(store);
  if (needed <= free) return;
  throw new CodedError(
    'DISK_FULL',
    `${what} needs ${formatBytes(needed)}, ${store.path} has ${formatBytes(free)} free`,
    {
      hint: 'free some space (KeepVersions= and KeepBytes= bound a store); nothing was written',
      subject: store.path,
    },
  );
}
