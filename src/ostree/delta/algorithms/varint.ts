import type { ByteSink } from './byte-builder.ts';
import { malformed } from './malformed.ts';

/** Enough for 64 bits; the reference reads no more. */
const MAX_BYTES = 10;

/**
 * Decode the unsigned number at `offset`: seven bits a byte, low group first, bit 7 says that more follow.
 *
 * Limits: ten bytes, and `Number.MAX_SAFE_INTEGER`, since every number of a delta is a size, an offset or an index.
 * A number in more bytes than it needs is refused: no writer makes one.
 * Source: `_ostree_read_varuint64` in ostree-varint.c.
 * @throws CodedError DELTA_MALFORMED
 */
export function readVarint(bytes: Uint8Array, offset: number): { readonly value: number; readonly next: number } {
  let value = 0;
  let unit = 1;
  for (let i = 0; i < MAX_BYTES; i++) {
    const byte = bytes[offset + i];
    if (byte === undefined) throw malformed(`number at ${offset}: cut off after ${i} bytes`);
    value += (byte & 0x7f) * unit;
    if (value > Number.MAX_SAFE_INTEGER) throw malformed(`number at ${offset}: larger than any size or offset`);
    if (byte < 0x80) {
      if (byte === 0 && i > 0) throw malformed(`number at ${offset}: written in more bytes than it needs`);
      return { value, next: offset + i + 1 };
    }
    unit *= 128;
  }
  throw malformed(`number at ${offset}: longer than ${MAX_BYTES} bytes`);
}

/** Append a whole number from 0 to `Number.MAX_SAFE_INTEGER`, in as few bytes as it takes. */
export function appendVarint(out: ByteSink, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a size, an offset or an index: ${value}`);
  let rest = value;
  // no bit operators before the number fits in 31 bits
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  for (; rest > 0x7f; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  out.push(rest);
}
