/** A file without a name, gone with its descriptor however the process ends. */
import fs from 'node:fs';
import { naming } from '../calls/system-error.ts';

const CHUNK = 2 ** 20;

/** `TMPDIR`, else `/var/tmp`: unlike `/tmp` it is not kept in memory. */
export function temporaryFolder(): string {
  return process.env['TMPDIR'] || '/var/tmp';
}

/** For writing and reading; the caller closes it. @throws SystemError, DISK_FULL, which names the folder */
export function openNamelessFile(folder = temporaryFolder()): number {
  return naming(folder, () => {
    const directory = fs.mkdtempSync(`${folder}/tako-`); // mode 0700
    try {
      const fd = fs.openSync(`${directory}/file`, 'wx+', 0o600);
      fs.unlinkSync(`${directory}/file`);
      return fd;
    } finally {
      fs.rmdirSync(directory);
    }
  });
}

/** Of the first `size` bytes of a file that nobody else changes those from `from` on. A chunk is valid until the next one is asked for. */
export async function* readNamelessFile(fd: number, from: number, size: number): AsyncGenerator<Uint8Array> {
  const room = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(size - from, 1)));
  for (let at = from; at < size; ) {
    const count = fs.readSync(fd, room, 0, Math.min(room.length, size - at), at);
    if (count === 0) throw new Error('unreachable: a file of our own has become shorter');
    at += count;
    yield room.subarray(0, count);
  }
}
