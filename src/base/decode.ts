/**
 * Strict decoders for text from outside. Nothing is trimmed, repaired or defaulted on the way in: what Node's
 * built-ins would quietly repair gives `undefined` here, and the lenient built-ins stay inside this file.
 */

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Standard base64 with mandatory padding. Unused low bits of the last symbol need not be zero: files signed by
 * other implementations may have them set. Nothing here ever writes such bits.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  return text.length % 4 === 0 && BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Lower-case hex of exactly `length` bytes. */
export function decodeHex(text: string, length: number): Uint8Array | undefined {
  return isHex(text, length) ? Buffer.from(text, 'hex') : undefined;
}

/** Is this the lower-case hex of exactly `length` bytes? */
export function isHex(text: string, length: number): boolean {
  return text.length === 2 * length && /^[0-9a-f]*$/.test(text);
}

/** A canonical decimal that a JavaScript number holds exactly: no sign, no leading zero. */
export function decodeDecimal(text: string): number | undefined {
  const value = /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** UTF-8 without repair; a byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // the only error that a fatal decoder throws is "this is not UTF-8"
  }
}

const SUFFIXES: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** A number of bytes: `1048576`, `1024K`, `1M`; suffixes K, M, G, T are powers of 1024. */
export function decodeByteCount(text: string): number | undefined {
  const [, digits = '', suffix = ''] = /^([0-9]+)([KMGT]?)$/.exec(text) ?? [];
  const count = decodeDecimal(digits);
  const value = count === undefined ? Number.NaN : count * (SUFFIXES[suffix] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}
