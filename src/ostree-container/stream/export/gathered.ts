/** Takes each chunk before its promise resolves: the memory is used again afterwards. */
export type Sink = (chunk: Uint8Array) => void | Promise<void>;

/** Small pieces on their way to a sink, as large ones: a header of a tar is 512 bytes, and a stream has a million. */
export class Gathered {
  readonly #sink: Sink;
  readonly #room: Buffer;
  #filled = 0;

  constructor(sink: Sink, size = 2 ** 18) {
    this.#sink = sink;
    this.#room = Buffer.allocUnsafeSlow(size);
  }

  /** Copies what is small; no promise when nothing has to wait. */
  readonly write = (chunk: Uint8Array): void | Promise<void> => {
    if (this.#filled + chunk.length > this.#room.length) return this.#pass(chunk);
    this.#room.set(chunk, this.#filled);
    this.#filled += chunk.length;
  };

  async flush(): Promise<void> {
    const filled = this.#filled;
    this.#filled = 0;
    if (filled > 0) await this.#sink(this.#room.subarray(0, filled));
  }

  async #pass(chunk: Uint8Array): Promise<void> {
    await this.flush();
    if (chunk.length < this.#room.length) await this.write(chunk);
    else await this.#sink(chunk);
  }
}
