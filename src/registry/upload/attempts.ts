import { setTimeout as sleep } from 'node:timers/promises';
import { HttpError } from '../../http/index.ts';

export interface RetryPolicy {
  /** Failures in a row without progress before giving up. */
  readonly retries: number;
  /** Before the first repetition; doubled each time, up to 30 s. */
  readonly delayMs: number;
}

export const RETRY: RetryPolicy = { retries: 4, delayMs: 500 };
const LONGEST_DELAY_MS = 30_000;
/** A registry that asks for a longer pause is not waited for. */
const LONGEST_ASKED_MS = 300_000;
/** Less than this between two failures is no progress: at a byte per try a server could keep us for ever. */
const PROGRESS = 64 * 1024;

/** How often an upload is taken up again. */
export class Attempts {
  readonly #policy: RetryPolicy;
  #failures = 0;
  #farthest = 0;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
  }

  /** Waits, or throws the error when there have been too many. @param arrived bytes that the registry has */
  async after(error: unknown, arrived: number, signal: AbortSignal): Promise<void> {
    if (arrived >= this.#farthest + PROGRESS) {
      this.#farthest = arrived;
      this.#failures = 0;
    }
    const askedMs = askedPause(error);
    if (this.#failures >= this.#policy.retries || askedMs > LONGEST_ASKED_MS) throw error;
    const delayMs = Math.min(LONGEST_DELAY_MS, this.#policy.delayMs * 2 ** this.#failures++);
    const pause = sleep(Math.max(askedMs, delayMs * (0.5 + 0.5 * Math.random())), undefined, { signal });
    await pause.catch(() => signal.throwIfAborted()); // the reason of the abort, not that there was one
  }
}

function askedPause(error: unknown): number {
  const cause = error instanceof HttpError ? error : error instanceof Error ? error.cause : undefined;
  return cause instanceof HttpError ? (cause.retryAfterMs ?? 0) : 0;
}
