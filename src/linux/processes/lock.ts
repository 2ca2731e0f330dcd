/** Locks between processes. They go with their descriptor, so a killed run leaves none behind. */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { systemCalls } from '../calls/ffi.ts';
import { koffi } from '../calls/koffi.ts';
import type { Directory } from '../files/directory.ts';
import { callerId } from '../files/owner.ts';
import { notARegularFile } from '../files/walk.ts';
import { findProgram } from './find-program.ts';

export interface LockOptions {
  /** 0: try once. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called once, when somebody else holds the lock and there is time to wait. */
  readonly onWait?: (() => void) | undefined;
}

export interface Lock {
  /** A second time does nothing. */
  release(): void;
}

/** Between two attempts: soon at first, for most holders are brief. */
const FIRST_DELAY_MS = 10;
const LONGEST_DELAY_MS = 250;

/**
 * Hold `flock(2)` on a lock file of our own, made with mode 0600 when absent and never removed: whoever removed it
 * could not know who waits for it. Programs that use flock(1) see it.
 * @throws CodedError LOCK_TIMEOUT, NO_FLOCK, NOT_A_REGULAR_FILE; what the signal was aborted with
 */
export async function lockFile(directory: Directory, name: string, options: LockOptions): Promise<Lock> {
  const path = directory.pathOf(name);
  let held: number | undefined;
  await waitFor(path, options, () => {
    held = tryLockFile(directory, name);
    return held !== undefined;
  });
  return {
    release() {
      if (held === undefined) return;
      const fd = held;
      held = undefined;
      fs.closeSync(fd);
    },
  };
}

export type OfdKind = 'shared' | 'exclusive';

/**
 * Hold an open file description lock, as OSTree does, on a descriptor of the caller; it ends when that is closed, or by
 * `ofdUnlock`. `path` is for messages.
 * @throws CodedError LOCK_TIMEOUT, NO_OFD_LOCKS; what the signal was aborted with
 */
export async function ofdLock(
  fd: number,
  kind: OfdKind,
  options: LockOptions & { readonly path: string },
): Promise<void> {
  await waitFor(options.path, options, () => tryOfdLock(fd, kind));
}

/** One attempt, without waiting; false: somebody else holds it. @throws CodedError NO_OFD_LOCKS */
export function tryOfdLock(fd: number, kind: OfdKind): boolean {
  return ofdCalls().ofdLock(fd, kind);
}

/** From exclusive to shared, which nobody can refuse. */
export function ofdDowngrade(fd: number): void {
  ofdCalls().ofdLock(fd, 'shared');
}

export function ofdUnlock(fd: number): void {
  ofdCalls().ofdLock(fd, 'unlock');
}

function ofdCalls() {
  const calls = systemCalls();
  if (calls !== undefined) return calls;
  const library = koffi();
  throw new CodedError('NO_OFD_LOCKS', 'a repository can only be changed with the npm package koffi', {
    hint: `install koffi${library.kind === 'missing' ? ` (${printable(library.reason)})` : ''}`,
  });
}

async function waitFor(
  path: string,
  { timeoutMs, signal, onWait }: LockOptions,
  attempt: () => boolean,
): Promise<void> {
  signal.throwIfAborted();
  let deadline: number | undefined;
  for (let delay = FIRST_DELAY_MS, isFirst = true; !attempt(); delay = Math.min(delay * 1.5, LONGEST_DELAY_MS)) {
    deadline ??= performance.now() + timeoutMs; // the first attempt, which may load koffi, is no waiting
    const left = deadline - performance.now();
    if (left <= 0) throw timedOut(path, timeoutMs);
    if (isFirst) onWait?.();
    isFirst = false;
    await sleep(Math.min(delay, left), undefined, { signal }).catch((error: unknown) => {
      signal.throwIfAborted(); // with the caller's own reason, not with the timer's AbortError
      throw error;
    });
  }
}

function timedOut(path: string, timeoutMs: number): CodedError {
  const waited = timeoutMs === 0 ? '' : ` after ${timeoutMs / 1000} s`;
  return new CodedError('LOCK_TIMEOUT', `${printable(path)}: still locked by another process${waited}`, {
    hint: 'try again when it has ended, or wait longer with --lock-timeout',
    subject: path,
  });
}

/** The descriptor that holds the lock, or undefined when another process has it. */
function tryLockFile(directory: Directory, name: string): number | undefined {
  for (;;) {
    const fd = openLockFile(directory, name);
    let isHeld = false;
    try {
      if (!takeFlock(fd)) return undefined;
      // Somebody may have removed or replaced the file since it was opened: then the lock guards nothing.
      const [mine, named] = [fs.fstatSync(fd), directory.lstat(name)];
      isHeld = named !== undefined && named.ino === mine.ino && named.dev === mine.dev;
      if (isHeld) return fd;
    } finally {
      if (!isHeld) fs.closeSync(fd);
    }
  }
}

function openLockFile(directory: Directory, name: string): number {
  const before = directory.lstat(name);
  if (before !== undefined && !before.isFile()) throw notARegularFile(directory.pathOf(name));
  const fd = directory.openFile(name, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  const stats = fs.fstatSync(fd);
  if (!stats.isFile()) {
    fs.closeSync(fd);
    throw notARegularFile(directory.pathOf(name));
  }
  // Whoever may open it could hold it for ever.
  if ((stats.mode & 0o077) !== 0 && stats.uid === callerId()) fs.fchmodSync(fd, 0o600);
  return fd;
}

/** False when it is held elsewhere. */
function takeFlock(fd: number): boolean {
  const calls = systemCalls();
  if (calls !== undefined) return calls.flock(fd, 'exclusive');
  const program = findProgram('flock');
  if (program === undefined) {
    throw new CodedError('NO_FLOCK', 'no means to lock a file: neither koffi nor the flock program', {
      hint: 'install util-linux, or the npm package koffi',
    });
  }
  // The lock belongs to the open file description: it stays when the program has ended. -x -n: busybox knows no long ones.
  const { spawnSync } = process.getBuiltinModule('node:child_process'); // only here, for it takes long to load
  const { status, stderr, error } = spawnSync(program, ['-x', '-n', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
    encoding: 'utf8',
  });
  if (status === 0 || status === 1) return status === 0;
  throw new CodedError('NO_FLOCK', `${program}: ${printable((stderr ?? '').trim()) || `status ${status}`}`, {
    cause: error,
  });
}
