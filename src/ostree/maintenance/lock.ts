/** The repository's lock for work that can also be done on a repository that nobody can write to. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { type Held, lockForReading, NOT_HELD } from '../repository/lock.ts';
import type { Repository } from '../repository/repository.ts';

export interface LockRequest {
  readonly signal: AbortSignal;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
}

/** May this process write there at all? A file system mounted read-only counts, for root too. */
function isWritable(repository: Repository): boolean {
  try {
    fs.accessSync(repository.root, fs.constants.W_OK);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EACCES' || codeOf(error) === 'EROFS') return false;
    throw error;
  }
}

/** Before work that changes something. @throws OstreeError REPOSITORY_READ_ONLY */
export function assertWritable(repository: Repository): void {
  if (isWritable(repository)) return;
  const text = `${printable(repository.path)}: not writable: nothing can be repaired or deleted`;
  throw new OstreeError('REPOSITORY_READ_ONLY', text, { subject: repository.path });
}

/**
 * For work that only looks, and marks what it finds where it may: without the lock, or the right to write, it may not.
 * @throws CodedError LOCK_TIMEOUT
 */
export async function lockToLook(
  repository: Repository,
  request: LockRequest,
): Promise<{ readonly held: Held; readonly mayMark: boolean }> {
  const held = await lockForReading(repository, request);
  const isSafe = held !== NOT_HELD || !repository.config.locking;
  return { held, mayMark: isSafe && isWritable(repository) };
}
