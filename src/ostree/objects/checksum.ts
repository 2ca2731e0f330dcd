/** SHA-256 checksums: 64 lower-case hex digits in memory and on the command line, 32 bytes inside objects. */
import crypto from 'node:crypto';
import { isHex } from '../../base/decode.ts';
import { quote } from '../../base/text.ts';
import { malformed } from '../error.ts';

/** 64 lower-case hex digits. */
export type Checksum = string;

export const CHECKSUM_BYTES = 32;

export function isChecksum(text: string): boolean {
  return isHex(text, CHECKSUM_BYTES);
}

/** @throws OstreeError OBJECT_MALFORMED */
export function assertChecksum(text: string, what: string): Checksum {
  if (!isChecksum(text)) throw malformed(what, `expected a checksum of 64 hex digits, found ${quote(text)}`);
  return text;
}

/** One call for small contents; `createHash` costs five times as much. Node 20.12 and later have it. */
export const sha256: (bytes: Uint8Array) => Checksum =
  typeof crypto.hash === 'function'
    ? (bytes) => crypto.hash('sha256', bytes, 'hex')
    : (bytes) => crypto.createHash('sha256').update(bytes).digest('hex');

/** Of a header and the content behind it. Small ones are joined, for a hash object costs more than a copy. */
export function sha256Both(start: Uint8Array, content: Uint8Array): Checksum {
  if (content.length === 0) return sha256(start);
  if (content.length <= JOINED) return sha256(Buffer.concat([start, content]));
  return crypto.createHash('sha256').update(start).update(content).digest('hex');
}

const JOINED = 32 * 1024;

export function checksumBytes(checksum: Checksum): Buffer {
  return Buffer.from(checksum, 'hex');
}

/** From inside an object. @throws OstreeError OBJECT_MALFORMED for another length than 32 */
export function checksumOf(bytes: Uint8Array, what: string): Checksum {
  if (bytes.length !== CHECKSUM_BYTES) throw malformed(what, `expected a checksum of 32 bytes, found ${bytes.length}`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
