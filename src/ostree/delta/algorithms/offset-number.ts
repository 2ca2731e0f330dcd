import { malformed } from './malformed.ts';

/** Bytes of one number in a bsdiff stream. */
export const OFFSET_NUMBER_SIZE = 8;

/**
 * Decode a signed number of a bsdiff stream: 64 bits, little-endian, bit 63 is the sign and the others the magnitude.
 * @throws CodedError DELTA_MALFORMED when it is cut off, or beyond what a file offset can be in a double
 */
export function decodeOffsetNumber(bytes: Uint8Array, offset: number): number {
  if (offset + OFFSET_NUMBER_SIZE > bytes.length) throw malformed(`patch at ${offset}: number is cut off`);
  const word = (at: number): number => {
    const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
  };
  const high = word(offset + 4);
  const magnitude = (high & 0x7fffffff) * 2 ** 32 + word(offset);
  if (magnitude > Number.MAX_SAFE_INTEGER) throw malformed(`patch at ${offset}: number is larger than any file offset`);
  return high >= 2 ** 31 ? 0 - magnitude : magnitude;
}

/** Encode a safe integer in the same form; zero has no sign. */
export function encodeOffsetNumber(value: number, into: Uint8Array, offset: number): void {
  let rest = Math.abs(value);
  for (let i = 0; i < OFFSET_NUMBER_SIZE; i++) {
    into[offset + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  if (value < 0) into[offset + 7] = (into[offset + 7] ?? 0) | 0x80;
}
