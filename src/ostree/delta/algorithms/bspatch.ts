import { malformed } from './malformed.ts';
import { decodeOffsetNumber, OFFSET_NUMBER_SIZE } from './offset-number.ts';

/** The old file, which need not be in memory. */
export interface OldSource {
  readonly size: number;
  /** Fill `into` from `offset`, as far as it goes; the number of bytes read, at least one before the end. */
  read(offset: number, into: Uint8Array): number;
}

/** How much is handed out at a time: small beside the memory mark, large beside a system call. */
const OUTPUT = 256 * 1024;
/** How much of the old file is read at a time, at most and at least: steps of a few bytes often lie close together. */
const LARGEST_READ = 64 * 1024;
const SMALLEST_READ = 8 * 1024;
const HEADER = 3 * OFFSET_NUMBER_SIZE;

/**
 * Rebuild a new file from an old one and a bsdiff stream (no file header, no compression).
 *
 * Shape: until `size` bytes are produced, three numbers x, y, z; x bytes, each to be added to the old byte at the old
 * position (0 outside the old file); y bytes that are taken as they are; then the old position moves by x + z.
 * Limits: exactly `size` bytes are written or an error is thrown; a step takes at least 24 bytes of the patch, so their
 * number is bounded by its length. Bytes of the patch behind the last step are ignored, as the reference does.
 * A chunk handed to `write` is only valid during the call.
 * Source: bspatch by Colin Percival in the stream form of Matthew Endsley, which libostree embeds.
 * @throws CodedError DELTA_MALFORMED
 */
export function bspatch(read: OldSource, patch: Uint8Array, size: number, write: (chunk: Uint8Array) => void): void {
  const output = new PatchOutput(read, patch, Math.min(OUTPUT, size), write);
  let at = 0;
  let oldPosition = 0;
  for (let left = size; left > 0; ) {
    const x = decodeOffsetNumber(patch, at);
    const y = decodeOffsetNumber(patch, at + OFFSET_NUMBER_SIZE);
    const z = decodeOffsetNumber(patch, at + 2 * OFFSET_NUMBER_SIZE);
    at = assertStep(patch, at, x, y, left);
    output.addDifference(at, x, oldPosition);
    output.addLiteral(at + x, y);
    at += x + y;
    left -= x + y;
    oldPosition += x + z;
    if (!Number.isSafeInteger(oldPosition)) throw malformed(`patch at ${at}: old position is out of range`);
  }
  output.flush();
}

/** Where the bytes of a step start. */
function assertStep(patch: Uint8Array, at: number, x: number, y: number, left: number): number {
  if (x < 0 || y < 0) throw malformed(`patch at ${at}: a length is negative`);
  if (x + y > left) throw malformed(`patch at ${at}: expected at most ${left} more bytes, found ${x + y}`);
  if (at + HEADER + x + y > patch.length) throw malformed(`patch at ${at}: ${x + y} bytes are cut off`);
  return at + HEADER;
}

/** What is being rebuilt, gathered into chunks: a patch may have many thousand steps of a few bytes. */
class PatchOutput {
  readonly #source: OldSource;
  readonly #patch: Uint8Array;
  readonly #write: (chunk: Uint8Array) => void;
  readonly #buffer: Uint8Array;
  #filled = 0;
  /** Old bytes from `#windowStart`, `#windowLength` of them. */
  readonly #window: Uint8Array;
  #windowStart = 0;
  #windowLength = 0;

  constructor(source: OldSource, patch: Uint8Array, bufferSize: number, write: (chunk: Uint8Array) => void) {
    this.#source = source;
    this.#patch = patch;
    this.#write = write;
    this.#buffer = new Uint8Array(bufferSize);
    this.#window = new Uint8Array(Math.min(LARGEST_READ, source.size));
  }

  flush(): void {
    if (this.#filled > 0) this.#write(this.#buffer.subarray(0, this.#filled));
    this.#filled = 0;
  }

  addLiteral(at: number, length: number): void {
    for (let done = 0; done < length; ) {
      const count = Math.min(length - done, this.#room());
      this.#buffer.set(this.#patch.subarray(at + done, at + done + count), this.#filled);
      this.#filled += count;
      done += count;
    }
  }

  addDifference(at: number, length: number, oldPosition: number): void {
    const before = Math.min(length, Math.max(0, 0 - oldPosition));
    const inside = Math.max(0, Math.min(length, this.#source.size - oldPosition) - before);
    // a zero added is a literal
    this.addLiteral(at, before);
    for (let done = before; done < before + inside; ) {
      done += this.#addOld(at + done, before + inside - done, oldPosition + done);
    }
    this.addLiteral(at + before + inside, length - before - inside);
  }

  /** Add as many of `length` bytes as fit in the buffer and are in the window; how many. */
  #addOld(at: number, length: number, oldPosition: number): number {
    const room = Math.min(length, this.#room());
    this.#load(oldPosition, room);
    const from = oldPosition - this.#windowStart;
    const count = Math.min(room, this.#windowLength - from);
    const [buffer, patch, window, filled] = [this.#buffer, this.#patch, this.#window, this.#filled];
    for (let i = 0; i < count; i++) buffer[filled + i] = (patch[at + i] as number) + (window[from + i] as number);
    this.#filled += count;
    return count;
  }

  #room(): number {
    if (this.#filled === this.#buffer.length) this.flush();
    return this.#buffer.length - this.#filled;
  }

  /** Have the old byte at `position` in the window, and some of those that follow. */
  #load(position: number, wanted: number): void {
    if (position >= this.#windowStart && position < this.#windowStart + this.#windowLength) return;
    const length = Math.min(Math.max(wanted, SMALLEST_READ), this.#source.size - position);
    const count = this.#source.read(position, this.#window.subarray(0, length));
    if (count <= 0) throw malformed(`source ends at ${position}: expected ${this.#source.size} bytes`);
    this.#windowStart = position;
    this.#windowLength = count;
  }
}
