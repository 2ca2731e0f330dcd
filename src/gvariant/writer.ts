/** Bytes that grow at their end. Containers note where they began, and write their offsets after their last child. */
export class Writer {
  length = 0;
  #buffer: Buffer;

  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** The buffer, with room for `size` more bytes at `length`; the caller writes them and advances `length`. */
  room(size: number): Buffer {
    const needed = this.length + size;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    return this.#buffer;
  }

  bytes(bytes: Uint8Array): void {
    this.room(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
  }

  zeros(count: number): void {
    if (count === 0) return;
    this.room(count).fill(0, this.length, this.length + count);
    this.length += count;
  }

  /** Little-endian, `width` bytes. */
  offset(value: number, width: number): void {
    const buffer = this.room(width);
    if (width === 8) buffer.writeBigUInt64LE(BigInt(value), this.length);
    else buffer.writeUIntLE(value, this.length, width);
    this.length += width;
  }

  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }
}
