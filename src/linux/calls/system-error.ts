/** Errors of the operating system in the form Node gives them, under the path that the user knows. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';

/** As Node's own: `code` is `ENOENT`, `errno` is negative. */
export class SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;

  constructor(errno: number, syscall: string, path?: string) {
    const [code, text] = describe(errno);
    super(`${code}: ${text}, ${syscall}${path === undefined ? '' : ` '${printable(path)}'`}`);
    this.name = 'SystemError';
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.path = path;
  }
}

/** The negative number of an error by its name, as it is on this machine. */
export function errnoOf(code: keyof typeof constants.errno): number {
  return -constants.errno[code];
}

/**
 * Do `work`; its system errors get `path` instead of the `/proc/self/fd/17/name` that the call was made with.
 * @throws CodedError DISK_FULL for ENOSPC and EDQUOT
 */
export function naming<T>(path: string | (() => string), work: () => T): T {
  try {
    return work();
  } catch (error) {
    const failed = systemFields(error);
    if (failed === undefined) throw error;
    const shown = typeof path === 'string' ? path : path();
    const named = new SystemError(failed.errno, failed.syscall, shown);
    if (named.code !== 'ENOSPC' && named.code !== 'EDQUOT') throw named;
    throw new CodedError('DISK_FULL', `${printable(shown)}: no space left`, {
      cause: named,
      hint: named.code === 'EDQUOT' ? 'the disk quota is used up' : 'free some space on its file system and try again',
      subject: shown,
    });
  }
}

function systemFields(error: unknown): { errno: number; syscall: string } | undefined {
  if (!(error instanceof Error) || !('errno' in error) || !('syscall' in error)) return undefined;
  const { errno, syscall } = error;
  return typeof errno === 'number' && typeof syscall === 'string' ? { errno, syscall } : undefined;
}

/** Node has no names for some numbers, EDQUOT among them; the constants do. */
function describe(errno: number): readonly [code: string, text: string] {
  const known = getSystemErrorMap().get(errno);
  if (known !== undefined) return known;
  const code = Object.entries(constants.errno).find(([, value]) => value === -errno)?.[0];
  return code === 'EDQUOT' ? [code, 'disk quota exceeded'] : [code ?? `E${-errno}`, `system error ${-errno}`];
}
