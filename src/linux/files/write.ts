/** Bytes onto the disk. */
import fs from 'node:fs';
import { errnoOf, naming, SystemError } from '../calls/system-error.ts';
import type { Directory } from './directory.ts';

/** Write all of it, however little each call takes: at `position`, or where the descriptor stands. */
export function writeAll(fd: number, bytes: Uint8Array, position?: number): void {
  for (let done = 0; done < bytes.length; ) {
    const at = position === undefined ? null : position + done;
    const count = fs.writeSync(fd, bytes, done, bytes.length - done, at);
    if (count === 0) throw new SystemError(errnoOf('EIO'), 'write'); // or this would never end
    done += count;
  }
}

/** What an ordinary user may still write to the file system of a directory, in bytes. */
export function freeBytes(directory: Directory): number {
  const { bavail, bsize } = naming(directory.path, () => fs.statfsSync(`/proc/self/fd/${directory.fd}`));
  return bavail * bsize;
}
