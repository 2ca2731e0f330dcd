/**
 * Records of pax extended headers.
 *
 * Shape: `LENGTH KEY=VALUE\n` one after the other, the length in decimal and of the whole record. Values are bytes:
 * those of xattrs may hold anything. An empty value takes back what an earlier header said; only an xattr may be empty.
 * Source: POSIX pax, "pax Header Block"; GNU tar manual, "Sparse Formats"; libarchive, tar(5).
 */
import { decodeDecimal } from '../base/decode.ts';
import { quote } from '../base/text.ts';
import type { TarTime } from './entry.ts';
import { malformed, overLimit, TarError } from './error.ts';
import { applySparseRecord, type SparseRecords } from './sparse-records.ts';
import { decodeName, decodePath } from './text-field.ts';
import { xattrOf } from './xattr-record.ts';

/** What pax records say about an entry in place of its header. Undefined: the header counts. */
export interface Overrides {
  path?: string | undefined;
  linkTarget?: string | undefined;
  uname?: string | undefined;
  gname?: string | undefined;
  size?: number | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
  mtime?: TarTime | undefined;
  major?: number | undefined;
  minor?: number | undefined;
  xattrs?: Map<string, Uint8Array> | undefined;
  sparse?: SparseRecords | undefined;
}

export interface PaxLimits {
  readonly pathLength: number;
  readonly sparseParts: number;
}

/** Xattrs of a global header are merged into every entry; nobody has more than a few. */
const GLOBAL_XATTRS = 64;
const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
/** More digits than the length of any record that a limit lets pass. */
const LENGTH_DIGITS = 16;
const CHARSETS = ['', 'BINARY', 'ISO-IR 10646 2000 UTF-8'];

/** What was said before, and then what these records say. Nothing of `body` is kept. */
export function applyPax(body: Buffer, before: Overrides, limits: PaxLimits): Overrides {
  const overrides: Overrides = { ...before };
  if (before.xattrs !== undefined) overrides.xattrs = new Map(before.xattrs);
  if (before.sparse !== undefined) overrides.sparse = { ...before.sparse, map: [...before.sparse.map] };
  let at = 0;
  while (at < body.length) {
    const end = recordEnd(body, at);
    const keyAt = body.indexOf(SPACE, at) + 1;
    const equals = body.indexOf(EQUALS, keyAt);
    if (equals <= keyAt || equals >= end)
      throw malformed('pax record', 'a key and =', body.toString('latin1', at, end));
    applyRecord(overrides, body.toString('latin1', keyAt, equals), body.subarray(equals + 1, end), limits);
    at = end + 1;
  }
  return overrides;
}

/** The same for a global header, which may say nothing about holes. */
export function applyGlobalPax(body: Buffer, before: Overrides, limits: PaxLimits): Overrides {
  const overrides = applyPax(body, before, limits);
  if (overrides.sparse !== undefined) throw malformed('global pax header', 'nothing about sparse files');
  if ((overrides.xattrs?.size ?? 0) > GLOBAL_XATTRS) throw overLimit('global pax header', GLOBAL_XATTRS, 'xattrs');
  return overrides;
}

/** Where the newline of the record lies. */
function recordEnd(body: Buffer, at: number): number {
  let length = 0;
  let i = at;
  for (; i < at + LENGTH_DIGITS; i++) {
    const digit = (body[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  const end = at + length - 1;
  if (i === at || body[i] !== SPACE || body[at] === 0x30 || end <= i || body[end] !== NEWLINE) {
    throw malformed(
      'pax record',
      'its length, a space, and a newline at its end',
      body.toString('latin1', at, at + 40),
    );
  }
  return end;
}

function applyRecord(overrides: Overrides, key: string, value: Buffer, limits: PaxLimits): void {
  const present = value.length > 0;
  switch (key) {
    case 'path':
      overrides.path = present ? decodePath(value, 'path', limits.pathLength) : undefined;
      break;
    case 'linkpath':
      overrides.linkTarget = present ? decodePath(value, 'link target', limits.pathLength) : undefined;
      break;
    case 'uname':
    case 'gname':
      overrides[key] = present ? decodeName(value, key) : undefined;
      break;
    case 'size':
    case 'uid':
    case 'gid':
      overrides[key] = present ? decimal(key, value) : undefined;
      break;
    case 'mtime':
      overrides.mtime = present ? timeOf(value.toString('latin1')) : undefined;
      break;
    case 'SCHILY.devmajor':
      overrides.major = present ? decimal(key, value) : undefined;
      break;
    case 'SCHILY.devminor':
      overrides.minor = present ? decimal(key, value) : undefined;
      break;
    case 'hdrcharset':
      assertCharset(value.toString('latin1'));
      break;
    default:
      applyFamily(overrides, key, value, limits);
  }
}

/** Keys that have a family name; what nobody here knows is not for us. */
function applyFamily(overrides: Overrides, key: string, value: Buffer, limits: PaxLimits): void {
  if (key.startsWith('GNU.sparse.')) {
    overrides.sparse = applySparseRecord(overrides.sparse, key.slice('GNU.sparse.'.length), value, limits);
    return;
  }
  const xattr = xattrOf(key, value);
  if (xattr === undefined) return;
  overrides.xattrs ??= new Map();
  overrides.xattrs.set(...xattr);
}

function decimal(key: string, value: Buffer): number {
  const text = value.toString('latin1');
  const number = decodeDecimal(text);
  if (number === undefined) throw malformed(`pax record ${key}`, 'a number', text);
  return number;
}

/** Seconds with a fraction; digits beyond the nanosecond are cut off towards the past, as GNU tar does. */
function timeOf(text: string): TarTime {
  const [, sign, whole = '', fraction = ''] = /^(-?)([0-9]+)(?:\.([0-9]*))?$/.exec(text) ?? [];
  const seconds = Number(whole);
  if (sign === undefined || !Number.isSafeInteger(seconds)) throw malformed('pax record mtime', 'a time', text);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { seconds, nanoseconds };
  const up = nanoseconds + (/[1-9]/.test(fraction.slice(9)) ? 1 : 0);
  if (up === 0) return { seconds: 0 - seconds, nanoseconds: 0 };
  return { seconds: 0 - seconds - 1, nanoseconds: 1e9 - up };
}

function assertCharset(name: string): void {
  if (!CHARSETS.includes(name))
    throw new TarError('TAR_UNSUPPORTED', `tar pax record hdrcharset: ${quote(name)} is not known`);
}
