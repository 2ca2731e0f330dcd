/**
 * The lock of a repository: an open file description lock on `.lock`, as libostree takes it. Shared: transactions,
 * summaries, traversals. Exclusive: whatever deletes. Re-entrant in one handle; a nested exclusive request upgrades
 * the lock that is held, and leaving it goes back.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { type LockOptions, type OfdKind, ofdDowngrade, ofdLock } from '../../linux/processes/lock.ts';

export interface Held {
  /** A second time does nothing. */
  release(): void;
}

/** The longest timer there is; `lock-timeout-secs=-1` waits for ever. */
const FOR_EVER_MS = 2 ** 31 - 1;

export class RepositoryLock {
  readonly #root: Directory;
  readonly #timeoutMs: number;
  readonly #held: OfdKind[] = [];
  #fd: number | undefined;
  /** Requests of one handle come one after the other: two upgrades at once would wait for each other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(root: Directory, timeoutMs: number | undefined) {
    this.#root = root;
    this.#timeoutMs = timeoutMs ?? FOR_EVER_MS;
  }

  /** @throws CodedError LOCK_TIMEOUT, NO_OFD_LOCKS; what the signal was aborted with */
  acquire(kind: OfdKind, options: Omit<LockOptions, 'timeoutMs'> & { readonly timeoutMs?: number }): Promise<Held> {
    const taken = this.#turn.then(() => this.#take(kind, options));
    this.#turn = taken.catch(() => undefined); // who asked hears of the failure; the next one still gets its turn
    return taken;
  }

  async #take(kind: OfdKind, options: Omit<LockOptions, 'timeoutMs'> & { readonly timeoutMs?: number }): Promise<Held> {
    const before = this.#strongest();
    if (before === undefined || (before === 'shared' && kind === 'exclusive')) {
      this.#fd ??= this.#root.openFile('.lock', fs.constants.O_RDWR | fs.constants.O_CREAT, 0o660);
      const path = this.#root.pathOf('.lock');
      try {
        await ofdLock(this.#fd, kind, { ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs, path });
      } catch (error) {
        if (before === undefined) this.#close();
        throw error;
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
    if (left === undefined) this.#close();
    // Going from exclusive to shared is always granted at once.
    else if (left === 'shared' && kind === 'exclusive' && this.#fd !== undefined) ofdDowngrade(this.#fd);
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

/**
 * Keep `prune` away while objects are read. A reader who may not write to the repository, or has no such locks, goes
 * without, as libostree does: undefined.
 * @throws CodedError LOCK_TIMEOUT
 */
export async function lockForReading(
  repository: { readonly lock: RepositoryLock; readonly config: { readonly locking: boolean } },
  options: Omit<LockOptions, 'timeoutMs'>,
): Promise<Held> {
  if (!repository.config.locking) return NOT_HELD;
  try {
    return await repository.lock.acquire('shared', options);
  } catch (error) {
    if (WITHOUT.has(codeOf(error) ?? '')) return NOT_HELD;
    throw error;
  }
}

const NOT_HELD: Held = { release: () => undefined };
const WITHOUT = new Set(['EACCES', 'EPERM', 'EROFS', 'NO_OFD_LOCKS']);
