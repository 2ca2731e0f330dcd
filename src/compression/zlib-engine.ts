/** One of Node's zlib engines between two async iterables, pulled by its consumer and closed by whatever ends it. */
import type { Transform } from 'node:stream';

/** What the engines of node:zlib have beyond a Transform. */
export interface ZlibEngine extends Transform {
  /** Bytes of the input that the engine has used; what it was given beyond its end does not count. */
  readonly bytesWritten: number;
}

/** Large enough that the calls do not matter: each goes to another thread and back. */
export const ENGINE_CHUNK = 512 * 2 ** 10;
/** Output is made one chunk ahead of the consumer. */
export const ENGINE_OPTIONS = { chunkSize: ENGINE_CHUNK, highWaterMark: ENGINE_CHUNK } as const;

/**
 * All that the engine makes of the source. The source is read to its end even when the engine's data end before:
 * `onRest` is shown what is left, and may throw. The engine is destroyed at the end, by every way out.
 */
export async function* throughEngine(
  engine: ZlibEngine,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onRest: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  const watch = new EngineWatch(engine);
  let given = 0;
  let ended = false;
  try {
    for await (const chunk of source) {
      if (ended) onRest(chunk);
      if (ended || chunk.length === 0) continue;
      given += chunk.length;
      yield* watch.write(chunk);
      const left = given - engine.bytesWritten;
      ended = left > 0; // it used less than it was given
      if (ended) onRest(chunk.subarray(-left));
    }
    if (!ended) yield* watch.end();
  } finally {
    engine.destroy();
  }
}

/** The events of an engine as something to wait for. */
class EngineWatch {
  readonly #engine: ZlibEngine;
  #error: { readonly reason: unknown } | undefined;
  #wake: (() => void) | undefined;
  #due = false;
  #ended = false;

  constructor(engine: ZlibEngine) {
    this.#engine = engine;
    engine.on('readable', () => this.#notify());
    engine.on('end', () => {
      this.#ended = true;
      this.#notify();
    });
    engine.on('error', (reason: unknown) => {
      this.#error ??= { reason };
      this.#notify();
    });
  }

  /** Output until the chunk is used up, or the engine's data end within it (then it may not report the chunk done). */
  write(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
    let done = false;
    this.#engine.write(chunk, () => {
      done = true;
      this.#notify();
    });
    return this.#outputUntil(() => done);
  }

  end(): AsyncGenerator<Uint8Array> {
    this.#engine.end();
    return this.#outputUntil(() => false);
  }

  async *#outputUntil(done: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error.reason;
      const output: Uint8Array | null = this.#engine.read();
      if (output !== null) yield output;
      else if (this.#ended || done()) return;
      else await this.#event();
    }
  }

  #notify(): void {
    this.#due = true;
    this.#wake?.();
  }

  async #event(): Promise<void> {
    if (!this.#due) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#due = false;
    this.#wake = undefined;
  }
}
