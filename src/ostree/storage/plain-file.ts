/** Objects whose file is the content itself: what the bare modes have in common. */
import fs from 'node:fs';
import { decodeUtf8 } from '../../base/decode.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { writeAll } from '../../linux/files/write.ts';
import { malformed, OstreeError } from '../error.ts';
import { type FileHeader, octal, S_IFMT, S_IFREG } from '../objects/file-header.ts';
import type { FileWriter } from './file-format.ts';
import { openObject } from './open-object.ts';
import { CHUNK, type StoredFile, WHOLE_LIMIT } from './stored-file.ts';

/** Below it the call costs more than the disk gains by beginning early. */
const EARLY = 64 * 1024;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;

/** @param header of a regular file, its type is checked. The size is that of the open file. */
export function openPlain(path: string, header: FileHeader, what: string): StoredFile {
  if ((header.mode & S_IFMT) !== S_IFREG) {
    throw malformed(what, `expected a file or link, found mode ${octal(header.mode)}`);
  }
  const { fd, size } = openObject(path, what);
  return {
    header,
    size,
    storedSize: size,
    plainFd: fd,
    bytes: () => readWhole(fd, size, what),
    chunks: () => readChunks(fd, size, what),
    close: () => fs.closeSync(fd),
  };
}

/** A symbolic link: everything is in its header. */
export function openStoredLink(header: FileHeader, storedSize = 0): StoredFile {
  return {
    header,
    size: 0,
    storedSize,
    plainFd: undefined,
    bytes: () => new Uint8Array(),
    chunks: async function* () {
      yield* [];
    },
    close: () => undefined,
  };
}

function readWhole(fd: number, size: number, what: string): Uint8Array {
  if (size > WHOLE_LIMIT)
    throw new OstreeError('TOO_LARGE', `${what}: ${size} bytes are more than fit into one buffer`);
  const content = Buffer.allocUnsafe(size);
  readExactly(fd, content, 0, what);
  return content;
}

/** Fill `into` from `position` on. @throws OstreeError OBJECT_MALFORMED when the file is shorter */
export function readExactly(fd: number, into: Uint8Array, position: number, what: string): void {
  for (let done = 0; done < into.length; ) {
    const count = fs.readSync(fd, into, done, into.length - done, position + done);
    if (count === 0) throw malformed(what, `expected ${position + into.length} bytes, found ${position + done}`);
    done += count;
  }
}

export async function* readChunks(fd: number, size: number, what: string, start = 0): AsyncIterable<Uint8Array> {
  const room = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, size - start)));
  for (let at = start; at < size; ) {
    const chunk = room.subarray(0, Math.min(room.length, size - at));
    readExactly(fd, chunk, at, what);
    at += chunk.length;
    yield chunk;
  }
}

/** The text of a link. @throws OstreeError OBJECT_MALFORMED when it is not UTF-8 */
export function readTarget(path: string, what: string): string {
  const target = decodeUtf8(fs.readlinkSync(path, 'buffer'));
  if (target === undefined) throw malformed(what, 'a link target that is not UTF-8');
  return target;
}

/** @param seal sets owner, mode, attributes and times of the finished file */
export function writePlain(path: string, seal: (fd: number) => void): FileWriter {
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  let isOpen = true;
  let written = 0;
  const close = (): void => {
    if (isOpen) fs.closeSync(fd);
    isOpen = false;
  };
  return {
    write(chunk) {
      writeAll(fd, chunk);
      written += chunk.length;
    },
    finish(flush) {
      seal(fd);
      if (flush === 'now') fs.fsyncSync(fd);
      else if (flush === 'begin' && written >= EARLY) systemCalls()?.beginWriteBack(fd);
      close();
      return written;
    },
    abort: close,
  };
}

/** @param make makes the link, with its attributes */
export function linkWriter(target: string, make: () => void): FileWriter {
  return {
    write: (chunk) => {
      if (chunk.length > 0) throw new Error('unreachable: content for a symbolic link');
    },
    finish() {
      make();
      return Buffer.byteLength(target);
    },
    abort: () => undefined,
  };
}
