interface Running<T> {
  readonly result: Promise<T>;
  readonly signal: AbortSignal;
}

/** Work that several wait for and one does. That the one gives up is no reason for the others to fail. */
export class Shared<T> {
  #running: Running<T> | undefined;

  async get(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      this.#running ??= this.#start(work, signal);
      const running = this.#running;
      try {
        return await running.result;
      } catch (error) {
        if (signal.aborted || !running.signal.aborted) throw error;
      }
    }
  }

  #start(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Running<T> {
    const result = work(signal).finally(() => {
      this.#running = undefined;
    });
    return { result, signal };
  }
}
