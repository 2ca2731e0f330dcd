/** Small files, whole, with a limit. */
import fs from 'node:fs';
import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { naming } from '../calls/system-error.ts';
import type { Directory } from './directory.ts';
import { openFilePath } from './walk.ts';

interface OpenFile {
  readonly fd: number;
  readonly stats: fs.Stats;
}

export interface SmallFile {
  readonly bytes: Uint8Array;
  /** Of the very file that was read. */
  readonly stats: fs.Stats;
}

/**
 * By path, with the same care for links as `openDirectory`.
 * @throws CodedError TOO_LARGE, NOT_A_REGULAR_FILE, UNSAFE_LINK; SystemError ENOENT ...
 */
export function readFileBounded(path: string, limit: number): SmallFile {
  return readOpened(openFilePath(path), path, limit);
}

/** Undefined when there is nothing of that name. @throws CodedError TOO_LARGE, NOT_A_REGULAR_FILE */
export function readBounded(directory: Directory, name: string, limit: number): SmallFile | undefined {
  const file = directory.openRegular(name);
  if (file === undefined) return undefined;
  return readOpened(file, directory.pathOf(name), limit);
}

function readOpened({ fd, stats }: OpenFile, path: string, limit: number): SmallFile {
  try {
    if (stats.size > limit) throw tooLarge(path, limit);
    return { bytes: naming(path, () => readAll(fd, stats.size, limit, path)), stats };
  } finally {
    fs.closeSync(fd);
  }
}

/** The size is only a guess: a file may grow while it is read, and those in /proc say 0. */
function readAll(fd: number, guess: number, limit: number, path: string): Uint8Array {
  let room = Buffer.alloc(guess + 1);
  for (let length = 0; ; ) {
    const count = fs.readSync(fd, room, length, room.length - length, null);
    length += count;
    if (length > limit) throw tooLarge(path, limit);
    if (count === 0) return room.subarray(0, length);
    if (length === room.length) room = Buffer.concat([room], Math.max(4096, 2 * room.length));
  }
}

function tooLarge(path: string, limit: number): CodedError {
  return new CodedError('TOO_LARGE', `${printable(path)}: larger than the limit of ${limit} bytes`, { subject: path });
}
