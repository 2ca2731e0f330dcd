/**
 * Numbers of header fields.
 *
 * Shape: octal digits after any spaces, ended by a space, a NUL or the end of the field; nothing at all is 0. Or
 * base-256: the highest bit of the field set, and the rest a big-endian two's complement number (GNU tar, star).
 * Source: POSIX pax, "ustar Interchange Format"; GNU tar manual, "Extensions".
 */
import { BLOCK } from './block.ts';

const SPACE = 0x20;
const ZERO = 0x30;
const SEVEN = 0x37;

/** The number in a field, undefined when there is none that a JavaScript number holds exactly. */
export function decodeNumber(block: Uint8Array, start: number, length: number): number | undefined {
  if (((block[start] ?? 0) & 0x80) !== 0) return decodeBase256(block.subarray(start, start + length));
  const end = start + length;
  let at = start;
  while (at < end && block[at] === SPACE) at++;
  let value = 0;
  for (; at < end; at++) {
    const byte = block[at] ?? 0;
    if (byte < ZERO || byte > SEVEN) return byte === SPACE || byte === 0 ? value : undefined;
    value = value * 8 + (byte - ZERO);
  }
  return value;
}

function decodeBase256(field: Uint8Array): number | undefined {
  let bits = 0n;
  for (const byte of field) bits = (bits << 8n) | BigInt(byte);
  const value = Number(BigInt.asIntN(8 * field.length - 1, bits));
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Does a number fit a field as octal digits and a NUL? */
export function fitsOctal(value: number, length: number): boolean {
  return value >= 0 && value < 8 ** (length - 1);
}

/** Octal digits with leading zeros and a NUL at the end; `fitsOctal` must hold. */
export function encodeOctal(block: Buffer, start: number, length: number, value: number): void {
  if (!fitsOctal(value, length) || start + length > BLOCK) throw new Error(`unreachable: ${value} in ${length} bytes`);
  block.write(value.toString(8).padStart(length - 1, '0'), start, length - 1, 'latin1');
  block[start + length - 1] = 0;
}

/** Octal where it fits, else base-256. The number must be a safe integer, and fit the field. */
export function encodeNumber(block: Buffer, start: number, length: number, value: number): void {
  if (fitsOctal(value, length)) {
    encodeOctal(block, start, length, value);
    return;
  }
  let bits = BigInt.asUintN(8 * length, BigInt(value));
  for (let at = start + length - 1; at >= start; at--, bits >>= 8n) block[at] = Number(bits & 0xffn);
  block[start] = (block[start] ?? 0) | 0x80;
}
