/**
 * How much may be at work at once: so many tasks, and so much memory together. First come, first served, so a large
 * task is never overtaken for ever. One that needs more than there is waits until it is alone.
 */
export class TaskGate {
  readonly #memory: number;
  readonly #tasks: number;
  readonly #waiting: { readonly cost: number; start(): void }[] = [];
  #used = 0;
  #running = 0;

  constructor(memory: number, tasks: number) {
    this.#memory = memory;
    this.#tasks = Math.max(1, tasks);
  }

  /** @param cost bytes of memory */
  async run<T>(cost: number, task: () => Promise<T>): Promise<T> {
    const counted = Math.min(cost, this.#memory);
    await new Promise<void>((start) => {
      this.#waiting.push({ cost: counted, start });
      this.#admit();
    });
    try {
      return await task();
    } finally {
      this.#used -= counted;
      this.#running--;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#running >= this.#tasks || this.#used + next.cost > this.#memory) return;
      this.#waiting.shift();
      this.#used += next.cost;
      this.#running++;
      next.start();
    }
  }
}

/** Results in the order of the items, of which at most `ahead` are under way; the first failure ends it. */
export async function* inOrder<Item, Result>(
  items: Iterable<Item>,
  ahead: number,
  start: (item: Item) => Promise<Result>,
): AsyncGenerator<Result, void> {
  const started: Promise<Result>[] = [];
  for (const item of items) {
    const result = start(item);
    result.catch(() => undefined); // it is heard of in its turn, or after an earlier failure not at all
    started.push(result);
    if (started.length > ahead) yield await (started.shift() as Promise<Result>);
  }
  for (const result of started) yield await result;
}
