/** Bytes of a stream in pieces of the sizes that a parser asks for. Copies only what lies across chunks. */
const NOTHING = Buffer.alloc(0);

export class ByteQueue {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = NOTHING;
  #at = 0;
  #ended = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** So many bytes when they are here already, valid until the next call. */
  takeNow(length: number): Buffer | undefined {
    const end = this.#at + length;
    if (end > this.#chunk.length) return undefined;
    const bytes = this.#chunk.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** So many bytes, or fewer at the end of the stream. */
  async take(length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const part = await this.takeSome(length - filled);
      if (part.length === 0) break;
      part.copy(bytes, filled);
      filled += part.length;
    }
    return bytes.subarray(0, filled);
  }

  /** Up to so many bytes, as many as are here, at least one; none at the end of the stream. Not copied. */
  async takeSome(most: number): Promise<Buffer> {
    while (this.#at === this.#chunk.length && !this.#ended) await this.#pull();
    const end = Math.min(this.#at + most, this.#chunk.length);
    const part = this.#chunk.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** Pass over so many bytes; false when the stream ends before. */
  async pass(length: number): Promise<boolean> {
    let left = length;
    while (left > 0) {
      const part = await this.takeSome(left);
      if (part.length === 0) return false;
      left -= part.length;
    }
    return true;
  }

  /** Read the stream to its end, whatever comes. */
  async drain(): Promise<void> {
    while (!this.#ended) await this.#pull();
  }

  /** The stream is not needed any more. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#source.return?.();
  }

  async #pull(): Promise<void> {
    this.#chunk = NOTHING;
    this.#at = 0;
    const { done, value } = await this.#source.next().catch((error: unknown) => {
      this.#ended = true; // a stream that failed is over: nobody closes it again
      throw error;
    });
    if (done === true) this.#ended = true;
    else this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
}
