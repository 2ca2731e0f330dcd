/** Errors as plain data: a class does not survive the way between threads. */
import { CodedError, codeOf } from '../../base/error.ts';
import { SystemError } from '../../linux/calls/system-error.ts';

export interface FrozenError {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly subject: string | undefined;
  readonly system: { readonly errno: number; readonly syscall: string; readonly path: string | undefined } | undefined;
  readonly cause: FrozenError | undefined;
}

/** Causes deeper than this are not told. */
const DEPTH = 8;

export function freezeError(error: unknown, depth = 0): FrozenError {
  if (!(error instanceof Error)) return freezeError(new Error(String(error)));
  const fields = error as Error & Partial<Record<'hint' | 'subject' | 'syscall' | 'path', string>>;
  const isOfSystem = 'errno' in error && 'syscall' in error; // errors of zlib have a number of their own kind
  const errno = isOfSystem && typeof error.errno === 'number' ? error.errno : undefined;
  return {
    message: error.message,
    stack: error.stack,
    code: codeOf(error), // a DOMException has a number
    hint: fields.hint,
    subject: fields.subject,
    system: errno === undefined ? undefined : { errno, syscall: fields.syscall ?? '', path: fields.path },
    cause: error.cause === undefined || depth >= DEPTH ? undefined : freezeError(error.cause, depth + 1),
  };
}

export function thawError(frozen: FrozenError): Error {
  const cause = frozen.cause === undefined ? undefined : thawError(frozen.cause);
  const error = revive(frozen, cause);
  if (frozen.stack !== undefined) error.stack = frozen.stack;
  return error;
}

function revive({ message, code, hint, subject, system }: FrozenError, cause: Error | undefined): Error {
  if (system !== undefined) return new SystemError(system.errno, system.syscall, system.path);
  if (code !== undefined) return new CodedError(code, message, { hint, subject, cause });
  return new Error(message, { cause });
}
