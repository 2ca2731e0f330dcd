/** ELF files in memory and on the disk. */
import fs from 'node:fs';
import type { ElfSource } from './elf-file.ts';

export function bytesSource(name: string, bytes: Uint8Array): ElfSource {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return { name, size: buffer.length, read: (offset, length) => buffer.subarray(offset, offset + length) };
}

/** The caller closes the descriptor. */
export function fileSource(name: string, fd: number): ElfSource {
  return {
    name,
    size: fs.fstatSync(fd).size,
    read(offset, length) {
      const buffer = Buffer.alloc(length);
      let done = 0;
      while (done < length) {
        const count = fs.readSync(fd, buffer, done, length - done, offset + done);
        if (count === 0) break; // it became shorter: what is missing reads as zeros, and is judged as such
        done += count;
      }
      return buffer;
    },
  };
}
