/**
 * Calls on a name in an open directory, for work on many thousand files: a name costs a tenth of a microsecond here,
 * and a path through `/proc/self/fd/N/` some three. Names are text, and plain or below the directory.
 */
import { constants } from 'node:fs';
import { codeOf } from '../../base/error.ts';
import type { Call, Declare } from './koffi.ts';

export interface DirectoryCalls {
  /** A hard link; a symbolic link is linked itself. */
  linkat(fromDirectory: number, from: string, toDirectory: number, to: string): void;
  mkdirat(directory: number, name: string, mode: number): void;
  /** For reading; a symbolic link is not followed. Children do not inherit it. */
  openDirectoryAt(directory: number, name: string): number;
  /** Links are not followed. Undefined when there is nothing of that name. Older C libraries lack it. */
  readonly lookAt: ((directory: number, name: string) => Look | undefined) | undefined;
}

export interface Look {
  /** With the type bits of stat(2). */
  readonly mode: number;
  readonly size: number;
}

export function declareDirectoryCalls(need: (declaration: string) => Call, declare: Declare): DirectoryCalls {
  const linkat = need('int linkat(int fromDirectory, const char *from, int toDirectory, const char *to, int flags)');
  const mkdirat = need('int mkdirat(int directory, const char *name, uint32_t mode)');
  const openat = need('int openat(int directory, const char *name, int flags)');
  const statx = declare('int statx(int directory, const char *name, int flags, unsigned int mask, uint8_t *answer)');
  return {
    linkat: (fromDirectory, from, toDirectory, to) =>
      void linkat(to, fromDirectory, whole(from), toDirectory, whole(to), 0),
    mkdirat: (directory, name, mode) => void mkdirat(name, directory, whole(name), mode),
    openDirectoryAt: (directory, name) => openat(name, directory, whole(name), OPEN_DIRECTORY),
    lookAt: statx && ((directory, name) => look(statx, directory, name)),
  };
}

const O_CLOEXEC = 0o2000000;
const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_CLOEXEC;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** `STATX_TYPE | STATX_MODE | STATX_SIZE`. */
const MASK = 0x203;

/** `struct statx`, the same on all machines: the mode is a uint16 at byte 28, the size a uint64 at byte 40. */
const answer = new DataView(new ArrayBuffer(256));
const answerBytes = new Uint8Array(answer.buffer);
const isLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

const [low, high] = isLittle ? [40, 44] : [44, 40];

function look(statx: Call, directory: number, name: string): Look | undefined {
  try {
    statx(name, directory, whole(name), AT_SYMLINK_NOFOLLOW, MASK, answerBytes);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  return {
    mode: answer.getUint16(28, isLittle),
    size: answer.getUint32(low, isLittle) + 2 ** 32 * answer.getUint32(high, isLittle),
  };
}

/** @throws TypeError for a NUL inside, where C would cut it off */
function whole(name: string): string {
  if (name.includes('\0')) throw new TypeError('a NUL byte inside a path');
  return name;
}
