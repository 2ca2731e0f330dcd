/** When to try again, how long to wait before, and when to give up. */
import { explain } from '../../base/error.ts';
import { HttpError, isWorthRetrying } from '../error.ts';
import type { ResolvedSettings } from '../settings.ts';

const LONGEST_DELAY_MS = 30_000;

export interface RetryPolicy {
  readonly settings: Pick<ResolvedSettings, 'retries' | 'retryDelayMs' | 'maxRetryAfterMs' | 'onNote'>;
  /** Rejects when the signal is aborted or the client closed. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export class Retries {
  readonly #policy: RetryPolicy;
  #failures = 0;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
  }

  /** The transfer got somewhere since the last failure: what failed before does not count any more. */
  reset(): void {
    this.#failures = 0;
  }

  /** Waits before the next try, or throws the error when there shall be none. */
  async after(error: unknown, signal: AbortSignal): Promise<void> {
    const { settings, sleep } = this.#policy;
    if (!isWorthRetrying(error) || this.#failures >= settings.retries) throw error;
    const askedMs = error.retryAfterMs ?? 0;
    if (askedMs > settings.maxRetryAfterMs) throw notNow(error, askedMs);
    const delayMs = Math.max(askedMs, backOff(settings.retryDelayMs, this.#failures++));
    const count = `${this.#failures} of ${settings.retries}`;
    settings.onNote(`${explain(error)}; retry ${count} in ${seconds(delayMs)} s`);
    await sleep(delayMs, signal);
  }
}

/** Runs one try after the other until one succeeds, or none may follow. */
export async function withRetries<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  mayRepeat: () => boolean = () => true,
): Promise<T> {
  const retries = new Retries(policy);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!mayRepeat()) throw error;
      await retries.after(error, signal);
    }
  }
}

/** Doubled each time and jittered, so that hosts that lost one server together do not come back together. */
export function backOff(firstMs: number, failures: number, random: () => number = Math.random): number {
  return Math.min(LONGEST_DELAY_MS, firstMs * 2 ** failures) * (0.5 + 0.5 * random());
}

function notNow(error: HttpError, askedMs: number): HttpError {
  const { status, subject, retryAfterMs } = error;
  const hint = `the server asks to be left alone for ${seconds(askedMs)} s`;
  return new HttpError(error.code, error.message, { status, subject, retryAfterMs, hint, cause: error.cause });
}

function seconds(ms: number): string {
  return ms < 10_000 ? (ms / 1000).toFixed(1) : String(Math.round(ms / 1000));
}
