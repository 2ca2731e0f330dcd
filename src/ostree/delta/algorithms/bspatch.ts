import { malformed } from './malformed.ts';
import { decodeOffsetNumber, OFFSET_NUMBER_SIZE } from './offset-number.ts';

/** The old file, which need not be in memory. */
export interface OldSource {
  readonly size: number;
  /** Fill `into` from `offset`, as far as it goes; the number of bytes read, at least one before the end. */
  read(offset: number, into: Uint8Array): number;
}

/** How much is rebuilt at a time: small beside the memory mark, large beside a system call. */
const CHUNK = 256 * 1024;
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
  const buffer = new Uint8Array(Math.min(CHUNK, size));
  let at = 0;
  let oldPosition = 0;
  for (let left = size; left > 0; ) {
    const x = decodeOffsetNumber(patch, at);
    const y = decodeOffsetNumber(patch, at + OFFSET_NUMBER_SIZE);
    const z = decodeOffsetNumber(patch, at + 2 * OFFSET_NUMBER_SIZE);
    at = assertStep(patch, at, x, y, left);
    addDifference(read, oldPosition, patch.subarray(at, at + x), buffer, write);
    if (y > 0) write(patch.subarray(at + x, at + x + y));
    at += x + y;
    left -= x + y;
    oldPosition += x + z;
    if (!Number.isSafeInteger(oldPosition)) throw malformed(`patch at ${at}: old position out of range`);
  }
}

/** Where the bytes of a step start. */
function assertStep(patch: Uint8Array, at: number, x: number, y: number, left: number): number {
  if (x < 0 || y < 0) throw malformed(`patch at ${at}: a length is negative`);
  if (x + y > left) throw malformed(`patch at ${at}: expected at most ${left} more bytes, found ${x + y}`);
  if (at + HEADER + x + y > patch.length) throw malformed(`patch at ${at}: ${x + y} bytes are cut off`);
  return at + HEADER;
}

function addDifference(
  read: OldSource,
  oldPosition: number,
  difference: Uint8Array,
  buffer: Uint8Array,
  write: (chunk: Uint8Array) => void,
): void {
  for (let done = 0; done < difference.length; done += buffer.length) {
    const part = difference.subarray(done, done + buffer.length);
    const chunk = buffer.subarray(0, part.length);
    readOld(read, oldPosition + done, chunk);
    for (let i = 0; i < part.length; i++) chunk[i] = (chunk[i] ?? 0) + (part[i] ?? 0);
    write(chunk);
  }
}

/** Old bytes from `offset`, which may be negative; zeros outside the old file. */
function readOld(source: OldSource, offset: number, into: Uint8Array): void {
  const start = Math.min(into.length, Math.max(0, 0 - offset));
  const end = Math.max(start, Math.min(into.length, source.size - offset));
  into.fill(0, 0, start);
  into.fill(0, end);
  for (let i = start; i < end; ) {
    const count = source.read(offset + i, into.subarray(i, end));
    if (count <= 0) throw malformed(`source ends at ${offset + i}: expected ${source.size} bytes`);
    i += count;
  }
}
