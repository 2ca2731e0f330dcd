/** Names in archives: UTF-8 or refused, for whoever guesses an encoding writes other names than were meant. */
import { isUtf8 } from 'node:buffer';
import { printable } from '../base/text.ts';
import { overLimit, TarError } from './error.ts';

/** The text of a header field: up to its first NUL. */
export function decodeTextField(block: Buffer, start: number, length: number): string {
  const limit = start + length;
  let end = start;
  let bits = 0;
  for (; end < limit; end++) {
    const byte = block[end] ?? 0;
    if (byte === 0) break;
    bits |= byte;
  }
  if (end === start) return '';
  return bits < 0x80 ? block.toString('latin1', start, end) : decodeName(block.subarray(start, end), 'name');
}

/**
 * A name from a pax record or a GNU long name.
 *
 * @throws TarError TAR_NAME when it is not UTF-8 or holds a NUL
 */
export function decodeName(bytes: Buffer, what: string): string {
  if (!isUtf8(bytes)) {
    throw new TarError('TAR_NAME', `tar ${what} ${printable(bytes.toString('latin1', 0, 80))}: is not UTF-8`);
  }
  if (bytes.includes(0))
    throw new TarError('TAR_NAME', `tar ${what} ${printable(bytes.toString('utf8', 0, 80))}: holds a NUL`);
  return bytes.toString('utf8');
}

/** The same with the limit of paths, checked before anything is decoded. */
export function decodePath(bytes: Buffer, what: string, pathLength: number): string {
  if (bytes.length > pathLength) throw overLimit(what, pathLength, 'bytes');
  return decodeName(bytes, what);
}

/** @throws TarError TAR_NAME for what cannot be written as a name: an empty text, a NUL, half a surrogate pair */
export function assertName(text: string, what: string): void {
  if (text === '' || text.includes('\0') || isBroken(text)) {
    throw new TarError('TAR_NAME', `tar ${what}: is empty, holds a NUL or is no Unicode text`);
  }
}

/** Half a surrogate pair has no UTF-8. */
function isBroken(text: string): boolean {
  return Buffer.byteLength(text) !== text.length && Buffer.from(text).toString('utf8') !== text;
}
