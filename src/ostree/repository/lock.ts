/**
 * The lock of a repository: an open file description lock on `.lock`, as libostree takes it. Shared: transactions,
 * summaries, traversals. Exclusive: whatever deletes. Re-entrant in one handle; a nested exclusive request upgrades
 * the lock that is held, and leaving it goes back.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import {
  type LockOptions,
  type OfdKind,
  ofdDowngrade,
  ofdLock,
  ofdUnlock,
  tryOfdLock,
} from '../../linux/processes/lock.ts';

export interface Held {
  /** A second time does nothing. */
  release(): void;
}

export interface AcquireOptions extends Omit<LockOptions, 'timeoutMs'> {
  /** Default: that of the repository's configuration. 0: try once. */
  readonly timeoutMs?: number | undefined;
}

/** The longest timer there is; `lock-timeout-secs=-1` waits for ever. */
const FOR_EVER_MS = 2 ** 31 - 1;

export class RepositoryLock {
  readonly #root: Directory;
  readonly #timeoutMs: number;
  readonly #held: OfdKind[] = [];
  #fd: number | undefined;
  /** A request waits with `#fd`: whoever leaves meanwhile may not close it under its hands. */
  #isWaiting = false;
  /** The last holder left while a request was waiting: what that one was granted may be gone, too. */
  #isUnlocked = false;
  /** Requests of one handle come one after the other: two upgrades at once would wait for each other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(root: Directory, timeoutMs: number | undefined) {
    this.#root = root;
    this.#timeoutMs = timeoutMs ?? FOR_EVER_MS;
  }

  /** @throws CodedError LOCK_TIMEOUT, NO_OFD_LOCKS; what the signal was aborted with */
  acquire(kind: OfdKind, options: AcquireOptions): Promise<Held> {
    const taken = this.#turn.then(() => this.#take(kind, options));
    this.#turn = taken.catch(() => undefined); // who asked hears of the failure; the next one still gets its turn
    return unlessAborted(taken, options.signal);
  }

  async #take(kind: OfdKind, options: AcquireOptions): Promise<Held> {
    options.signal.throwIfAborted();
    const before = this.#strongest();
    if (before === undefined || (before === 'shared' && kind === 'exclusive')) {
      this.#fd ??= this.#root.openFile('.lock', fs.constants.O_RDWR | fs.constants.O_CREAT, 0o660);
      const path = this.#root.pathOf('.lock');
      const waiting = { ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs, path };
      this.#isWaiting = true;
      try {
        do {
          this.#isUnlocked = false;
          await ofdLock(this.#fd, kind, waiting);
        } while (this.#isUnlocked && !tryOfdLock(this.#fd, kind));
      } catch (error) {
        if (this.#held.length === 0) this.#close();
        throw error;
      } finally {
        this.#isWaiting = false;
      }
    }
    this.#held.push(kind);
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        this.#leave(kind);
      },
    };
  }

  #leave(kind: OfdKind): void {
    this.#held.splice(this.#held.lastIndexOf(kind), 1);
    const left = this.#strongest();
    if (left === undefined) this.#leaveLast();
    // Going from exclusive to shared is always granted at once.
    else if (left === 'shared' && kind === 'exclusive' && this.#fd !== undefined) ofdDowngrade(this.#fd);
  }

  #leaveLast(): void {
    if (!this.#isWaiting || this.#fd === undefined) return this.#close();
    ofdUnlock(this.#fd);
    this.#isUnlocked = true;
  }

  #strongest(): OfdKind | undefined {
    return this.#held.includes('exclusive') ? 'exclusive' : this.#held[0];
  }

  #close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    fs.closeSync(fd);
  }
}

/** A request that waits for its turn behind another one ends with its signal, not when it is its turn. */
function unlessAborted(taken: Promise<Held>, signal: AbortSignal): Promise<Held> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const settled = taken.then((held) => {
      if (signal.aborted) held.release();
      else resolve(held);
    }, reject);
    void settled.finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Keep `prune` away while objects are read. A reader who may not write to the repository, or has no such locks, goes
 * without, as libostree does: undefined.
 * @throws CodedError LOCK_TIMEOUT
 */
export async function lockForReading(
  repository: { readonly lock: RepositoryLock; readonly config: { readonly locking: boolean } },
  options: AcquireOptions,
): Promise<Held> {
  if (!repository.config.locking) return NOT_HELD;
  try {
    return await repository.lock.acquire('shared', options);
  } catch (error) {
    if (WITHOUT.has(codeOf(error) ?? '')) return NOT_HELD;
    throw error;
  }
}

/**
 * For a change, or for a dry run of it, which only reads and is possible without the right to write.
 * @throws CodedError LOCK_TIMEOUT
 */
export async function lockForChange(
  repository: Parameters<typeof lockForReading>[0],
  kind: OfdKind,
  options: AcquireOptions & { readonly dryRun?: boolean | undefined },
): Promise<Held> {
  if (options.dryRun === true) return lockForReading(repository, options);
  return repository.config.locking ? repository.lock.acquire(kind, options) : NOT_HELD;
}

/** What `lockForReading` gives when there is no lock. */
export const NOT_HELD: Held = { release: () => undefined };
const WITHOUT = new Set(['EACCES', 'EPERM', 'EROFS', 'NO_OFD_LOCKS']);
