type Take = (chunk: Uint8Array) => Promise<void>;

/**
 * Bytes that are pushed, for somebody who pulls: one chunk at a time goes from hand to hand, nothing is copied or queued.
 * The pusher is held up until the next chunk is asked for, so a chunk stays valid until then. Who stops asking before
 * the end stops the pusher as well.
 *
 * @param push resolves at the end; waits for every promise that `take` gives
 */
export async function* handover(
  push: (take: Take, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const stop = new AbortController();
  const table = new Table();
  const pushing = push((chunk) => table.put(chunk), AbortSignal.any([signal, stop.signal])).then(
    () => table.end({ kind: 'done' }),
    (reason: unknown) => table.end({ kind: 'failed', reason }),
  );
  try {
    for (;;) {
      const found = await table.next();
      if (found.kind === 'failed') throw found.reason;
      if (found.kind === 'done') return;
      yield found.chunk;
    }
  } finally {
    stop.abort(new Error('nobody asks for more'));
    table.close();
    await pushing;
  }
}

type End = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly reason: unknown };
type Found = { readonly kind: 'chunk'; readonly chunk: Uint8Array } | End;

/** Room for one chunk, which stays the pusher's until it is given back. */
class Table {
  #chunk: Uint8Array | undefined;
  #end: End | undefined;
  #closed = false;
  /** Lets the pusher go on. */
  #release: (() => void) | undefined;
  /** The same, once the chunk has been taken away. */
  #giveBack: (() => void) | undefined;
  #arrived: (() => void) | undefined;

  put(chunk: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#chunk = chunk;
    this.#arrived?.();
    return new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  end(end: End): void {
    this.#end = end;
    this.#arrived?.();
  }

  close(): void {
    this.#closed = true;
    this.#release?.();
  }

  /** Asking for the next one gives the one before back. */
  async next(): Promise<Found> {
    this.#giveBack?.();
    for (;;) {
      const chunk = this.#chunk;
      this.#chunk = undefined;
      this.#giveBack = this.#release;
      if (chunk !== undefined) return { kind: 'chunk', chunk };
      if (this.#end !== undefined) return this.#end;
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }
}
