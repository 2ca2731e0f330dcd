/** Several configurations in one run: side by side, except where they share a destination. */
import { statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Result } from './advance.ts';

/** Downloads at the same time; more would only share one line. */
const AT_ONCE = 4;

export type Answer = { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly error: unknown };

/**
 * Run all jobs; one failing does not stop the others. Answers are handed out in the order of the jobs, each as soon
 * as it and those before it are there.
 */
export async function* fetchAll(
  configs: readonly Config[],
  fetch: (config: Config) => Promise<Result>,
): AsyncIterable<Answer> {
  const slots = new Slots(AT_ONCE);
  const queues = new Map<string, Promise<unknown>>();
  const answers = configs.map((config) => {
    const key = identityOf(config);
    const turn = queues.get(key) ?? Promise.resolve();
    const answer = turn.then(() => slots.run(() => attempt(() => fetch(config))));
    queues.set(key, answer);
    return answer;
  });
  for (const answer of answers) yield await answer;
}

async function attempt(work: () => Promise<Result>): Promise<Answer> {
  try {
    return { ok: true, result: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** Two paths of one directory are one destination; what cannot be looked at fails later, by itself. */
function identityOf(config: Config): string {
  try {
    const { dev, ino } = statSync(config.destination);
    return `${dev}:${ino}`;
  } catch {
    return config.path; // the run itself says what is wrong with it
  }
}

class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
