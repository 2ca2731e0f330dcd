/** The bytes of a stored blob. */
import fs from 'node:fs';
import { naming } from '../../linux/calls/system-error.ts';
import { OciError } from '../error.ts';
import type { BlobFile } from './layout-files.ts';

/** One read: larger ones are not faster. */
const CHUNK = 2 ** 20;

/** Read off the main thread, in chunks whose memory is used again for the next one. Releases the file at the end. */
export async function* readBlobFile(
  file: BlobFile,
  from: number,
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    const room = Buffer.allocUnsafe(Math.max(0, Math.min(CHUNK, file.size - from)));
    for (let at = from; at < file.size; ) {
      signal?.throwIfAborted();
      const want = Math.min(room.length, file.size - at);
      const count = await readAt(file.fd, room, want, file.offset + at, path);
      if (count === 0) throw new OciError('INVALID_SIZE', `${path}: became shorter while it was read`);
      yield room.subarray(0, count);
      at += count;
    }
  } finally {
    file.release();
  }
}

/** All of a small one. */
export function readWholeBlob(file: BlobFile, path: string): Uint8Array {
  const bytes = Buffer.alloc(file.size);
  let done = 0;
  while (done < file.size) {
    const count = naming(path, () => fs.readSync(file.fd, bytes, done, file.size - done, file.offset + done));
    if (count === 0) break; // shorter than it was: the digest will say so
    done += count;
  }
  return bytes.subarray(0, done);
}

function readAt(fd: number, room: Buffer, length: number, position: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, room, 0, length, position, (error, count) => {
      if (error === null) resolve(count);
      else reject(named(path, error));
    });
  });
}

/** The error as `naming` would throw it. */
export function named(path: string, error: unknown): unknown {
  try {
    return naming(path, () => {
      throw error;
    });
  } catch (renamed) {
    return renamed;
  }
}
