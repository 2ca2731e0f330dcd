/** The bytes of a blob, cut into the bodies of requests. */
import { type Descriptor, OciError } from '../../oci/index.ts';

/** The whole or the rest of a blob. A chunk is valid until the next one is asked for. */
export type BlobSource = (from: number) => AsyncIterable<Uint8Array>;

/** One stretch after the other is read from one stream; only who goes back begins a new one. */
export class Bodies {
  readonly #descriptor: Descriptor;
  readonly #source: BlobSource;
  #stream: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array = new Uint8Array();
  #position = 0;
  /** Odd while a body is being read; an abandoned one must not take bytes from its successor. */
  #turn = 0;
  #failure: { readonly reason: unknown } | undefined;

  constructor(descriptor: Descriptor, source: BlobSource) {
    this.#descriptor = descriptor;
    this.#source = source;
  }

  /** To be called once for every try of a request. */
  between(from: number, to: number): () => AsyncIterable<Uint8Array> {
    return () => this.#read(from, to);
  }

  /** The source is at fault, not the registry: nothing can mend that. */
  assertSource(): void {
    if (this.#failure !== undefined) throw this.#failure.reason;
  }

  async close(): Promise<void> {
    this.#turn++;
    const stream = this.#stream;
    this.#stream = undefined;
    await quietly(stream);
  }

  async *#read(from: number, to: number): AsyncGenerator<Uint8Array, void> {
    const turn = await this.#seek(from);
    while (this.#position < to) {
      const chunk = await this.#next(turn);
      if (chunk === undefined || turn !== this.#turn) return;
      const taken = chunk.subarray(0, to - this.#position);
      this.#rest = chunk.subarray(taken.length);
      this.#position += taken.length;
      if (this.#position === this.#descriptor.size && this.#rest.length > 0) throw this.#fail(this.#wrongSize('more'));
      if (this.#position === to) this.#turn++; // whole: the next stretch goes on with the same stream
      yield Buffer.from(taken); // a copy: a socket keeps what it cannot send at once, and the source reuses its memory
      if (turn !== this.#turn) return;
    }
  }

  async #seek(from: number): Promise<number> {
    const isIdle = this.#turn % 2 === 0;
    if (this.#stream === undefined || !isIdle || this.#position !== from) {
      const old = this.#stream;
      this.#stream = this.#source(from)[Symbol.asyncIterator]();
      this.#rest = new Uint8Array();
      this.#position = from;
      void quietly(old);
    }
    this.#turn += isIdle ? 1 : 2;
    return this.#turn;
  }

  async #next(turn: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length > 0) return this.#rest;
    try {
      const found = await this.#stream?.next();
      if (found?.done !== true) return found?.value;
      if (turn !== this.#turn) return undefined;
      throw this.#wrongSize(`${this.#position}`);
    } catch (reason) {
      throw turn === this.#turn ? this.#fail(reason) : reason;
    }
  }

  #fail(reason: unknown): unknown {
    this.#failure = { reason };
    return reason;
  }

  #wrongSize(found: string): OciError {
    const { digest, size } = this.#descriptor;
    return new OciError('INVALID_SIZE', `blob ${digest}: expected ${size} bytes, found ${found}`, { subject: digest });
  }
}

/** What goes wrong in a stream that nobody wants any more is nobody's trouble, and must not hide what is. */
async function quietly(stream: AsyncIterator<Uint8Array> | undefined): Promise<void> {
  await stream?.return?.().catch(() => undefined);
}
