/** Memory for one file at a time. */
export class Scratch {
  readonly #most: number;
  #room = Buffer.allocUnsafeSlow(64 * 1024);
  #length = 0;

  /** @param most bytes that it holds */
  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  /** Valid until the next file. */
  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Make room for a file whose size is known. @throws OriginTooLarge before any of it has come */
  expect(size: number): void {
    if (size > this.#most) throw new OriginTooLarge();
    if (size > this.#room.length) this.#room = Buffer.allocUnsafeSlow(size);
  }

  append(chunk: Uint8Array): void {
    const end = this.#length + chunk.length;
    if (end > this.#most) throw new OriginTooLarge();
    if (end > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#most, Math.max(end, 2 * this.#room.length)));
      larger.set(this.bytes);
      this.#room = larger;
    }
    this.#room.set(chunk, this.#length);
    this.#length = end;
  }
}

/** Not an error of anybody: the file goes another way. */
export class OriginTooLarge extends Error {}
