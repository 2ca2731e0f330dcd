/** So much is made room for on the word of a server. */
const TRUSTED = 2 ** 20;
const SMALLEST = 4096;

/**
 * A body in one piece of memory that doubles when it is full. Chunks are copied at once: they are overwritten by later
 * reads, and a list of them would let a server that sends single bytes take a hundred times the memory of the body.
 */
export class BodyBuffer {
  #room: Uint8Array = new Uint8Array();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The server announces so many bytes; with them all in place nothing has to be moved. */
  expect(size: number): void {
    if (this.#length === 0 && size > 0) this.#room = Buffer.allocUnsafeSlow(Math.min(size, TRUSTED));
  }

  append(chunk: Uint8Array): void {
    const end = this.#length + chunk.length;
    if (end > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(SMALLEST, end, 2 * this.#room.length));
      larger.set(this.#room.subarray(0, this.#length));
      this.#room = larger;
    }
    this.#room.set(chunk, this.#length);
    this.#length = end;
  }

  /** Everything so far, without copying. */
  bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }
}
