/**
 * Pax records that hold an extended attribute.
 *
 * Shape: `SCHILY.xattr.NAME` with the bare bytes of the value (star, GNU tar, container tools), where GNU tar writes
 * `%25` and `%3D` for the percent and equals signs of a name; `LIBARCHIVE.xattr.NAME` with the name percent-encoded
 * and the value in base64, which libarchive leaves unpadded. An archive may have both of one xattr: the last counts.
 * Source: xattrs.c and xheader.c of GNU tar; tar(5) of libarchive.
 */
import { decodeBase64 } from '../base/decode.ts';
import type { TarXattr } from './entry.ts';
import { malformed, TarError } from './error.ts';
import { decodeName } from './text-field.ts';

const SCHILY = 'SCHILY.xattr.';
const LIBARCHIVE = 'LIBARCHIVE.xattr.';
const NONE: readonly TarXattr[] = [];

/** The xattr of a record, undefined when the key is of another kind. The key is latin1: a character for each byte. */
export function xattrOf(key: string, value: Buffer): [name: string, value: Uint8Array] | undefined {
  if (key.startsWith(SCHILY)) return [schilyName(key.slice(SCHILY.length)), new Uint8Array(value)];
  if (key.startsWith(LIBARCHIVE)) return [libarchiveName(key.slice(LIBARCHIVE.length)), base64Value(value)];
  return undefined;
}

/** The key of the record that holds an xattr, as text. */
export function schilyKey(name: string): string {
  return SCHILY + name.replace(/[%=]/g, (sign) => (sign === '%' ? '%25' : '%3D'));
}

/** In the order of `TarEntry.xattrs`. */
export function sortXattrs(xattrs: ReadonlyMap<string, Uint8Array> | undefined): readonly TarXattr[] {
  if (xattrs === undefined || xattrs.size === 0) return NONE;
  const sorted = [...xattrs].map(([name, value]) => ({ bytes: Buffer.from(name), xattr: [name, value] as const }));
  return sorted.sort((a, b) => Buffer.compare(a.bytes, b.bytes)).map(({ xattr }) => xattr);
}

function schilyName(text: string): string {
  return decodeXattrName(text.replace(/%(25|3D)/g, (_, hex: string) => (hex === '25' ? '%' : '=')));
}

function libarchiveName(text: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw malformed('xattr name', 'two hex digits behind %', text);
  return decodeXattrName(text.replace(/%(..)/g, (_, hex: string) => Buffer.from(hex, 'hex').toString('latin1')));
}

function decodeXattrName(latin1: string): string {
  if (latin1 === '') throw new TarError('TAR_NAME', 'tar xattr name: is empty');
  return decodeName(Buffer.from(latin1, 'latin1'), 'xattr name');
}

function base64Value(value: Buffer): Uint8Array {
  const text = value.toString('latin1');
  const bytes = decodeBase64(text.padEnd(Math.ceil(text.length / 4) * 4, '='));
  if (bytes === undefined) throw malformed('xattr value', 'base64', text);
  return new Uint8Array(bytes);
}
