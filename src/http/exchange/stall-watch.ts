import type { ResolvedSettings } from '../settings.ts';

const TICKS_PER_WINDOW = 10;

/**
 * Notices a transfer that is slower than the minimum rate over a whole window, the wait for headers included.
 *
 * Only time spent waiting for the network counts. The window is made of ticks, and a tick that comes late because the
 * process itself was busy (an fsync of a gigabyte, a suspended machine) is still one tick; a tick with a pause in it is none.
 */
export class StallWatch {
  readonly #needed: number;
  readonly #bytes: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #sinceTick = 0;
  #paused = false;
  #wasPaused = false;

  constructor(
    { minRate, minRateWindowMs }: Pick<ResolvedSettings, 'minRate' | 'minRateWindowMs'>,
    onStall: () => void,
  ) {
    this.#needed = (minRate * minRateWindowMs) / 1000;
    const tick = (): void => {
      if (this.#tick()) onStall();
    };
    this.#timer = setInterval(tick, Math.max(1, minRateWindowMs / TICKS_PER_WINDOW)).unref();
  }

  received(bytes: number): void {
    this.#sinceTick += bytes;
  }

  pause(): void {
    this.#paused = true;
    this.#wasPaused = true;
  }

  resume(): void {
    this.#paused = false;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): boolean {
    const counts = !this.#wasPaused;
    this.#wasPaused = this.#paused;
    if (!counts) return false; // the bytes stay for the next tick that counts
    this.#bytes.push(this.#sinceTick);
    this.#sinceTick = 0;
    if (this.#bytes.length < TICKS_PER_WINDOW) return false;
    const inWindow = this.#bytes.reduce((sum, bytes) => sum + bytes, 0);
    this.#bytes.shift();
    return inWindow < this.#needed;
  }
}
