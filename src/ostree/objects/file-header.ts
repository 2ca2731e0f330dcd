/**
 * The header of a content object: what is hashed before the data, and its larger form in an archive's `.filez`.
 *
 * Shapes: `(uuuusa(ayay))` = uid, gid, mode, rdev (0), symlink target or "", xattrs; an archive puts the uncompressed
 * size `t` in front. All numbers big-endian. Before either stands its length (u32 BE) and four zero bytes.
 * Source: _OSTREE_FILE_HEADER_GVARIANT_FORMAT and _OSTREE_ZLIB_FILE_HEADER_GVARIANT_FORMAT in ostree-core-private.h.
 */
import { string, tuple, uint32be, uint64be } from '../../gvariant/index.ts';
import { malformed, OstreeError } from '../error.ts';
import { packXattrs, unpackXattrs, XATTRS, type Xattrs } from './xattrs.ts';

export interface FileHeader {
  readonly uid: number;
  readonly gid: number;
  /** As in stat(2), type included: 0o100644 or 0o120777. */
  readonly mode: number;
  /** Of a symbolic link, else undefined. */
  readonly target: string | undefined;
  readonly xattrs: Xattrs;
}

export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFDIR = 0o040000;

const HEADER = tuple(uint32be, uint32be, uint32be, uint32be, string, XATTRS);
const ARCHIVE_HEADER = tuple(uint64be, uint32be, uint32be, uint32be, uint32be, string, XATTRS);

/** Length word and its padding. */
const PREFIX = 8;
/** A header larger than this is refused before it is read: the longest target, and more attributes than Linux allows. */
export const HEADER_LIMIT = 2 ** 20;

/** What is hashed before the content. */
export function encodeFileHeader({ uid, gid, mode, target, xattrs }: FileHeader): Uint8Array {
  return framed(HEADER.encode([uid, gid, mode, 0, target ?? '', packXattrs(xattrs)]));
}

/** What a `.filez` begins with; `size` is that of the uncompressed content. */
export function encodeArchiveHeader({ uid, gid, mode, target, xattrs }: FileHeader, size: number): Uint8Array {
  return framed(ARCHIVE_HEADER.encode([BigInt(size), uid, gid, mode, 0, target ?? '', packXattrs(xattrs)]));
}

export interface ArchiveHeader {
  readonly header: FileHeader;
  /** Of the uncompressed content. */
  readonly size: number;
  /** Where the deflated content begins in the file. */
  readonly contentOffset: number;
}

/** How many bytes of a `.filez` the header takes, from its first 8 bytes. @throws OstreeError OBJECT_MALFORMED */
export function archiveHeaderEnd(start: Uint8Array, what: string): number {
  if (start.length < PREFIX) throw malformed(what, `expected a header, found ${start.length} bytes`);
  const view = Buffer.from(start.buffer, start.byteOffset, PREFIX);
  const length = view.readUInt32BE(0);
  if (view.readUInt32BE(4) !== 0) throw malformed(what, 'expected four zero bytes before the header');
  if (length === 0 || length > HEADER_LIMIT) {
    throw malformed(what, `expected a header of 1 to ${HEADER_LIMIT} bytes, found ${length}`);
  }
  return PREFIX + length;
}

/** @param start the file, or as much of it as `archiveHeaderEnd` says. @throws OstreeError OBJECT_MALFORMED */
export function decodeArchiveHeader(start: Uint8Array, what: string): ArchiveHeader {
  const end = archiveHeaderEnd(start, what);
  if (start.length < end) throw malformed(what, `expected a header of ${end} bytes, found ${start.length}`);
  const [size, uid, gid, mode, rdev, target, xattrs] = decodeStrictly(
    () => ARCHIVE_HEADER.decode(start.subarray(PREFIX, end)),
    what,
  );
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(what, `a content of ${size} bytes`);
  const header = checkedHeader(uid, gid, mode, rdev, target, unpackXattrs(xattrs, what), what);
  if (header.target !== undefined && size !== 0n) throw malformed(what, 'a symbolic link with content');
  return { header, size: Number(size), contentOffset: end };
}

function checkedHeader(
  uid: number,
  gid: number,
  mode: number,
  rdev: number,
  target: string,
  xattrs: Xattrs,
  what: string,
): FileHeader {
  if (rdev !== 0) throw malformed(what, `expected rdev 0, found ${rdev}`);
  const type = mode & S_IFMT;
  if (type !== S_IFREG && type !== S_IFLNK) throw malformed(what, `expected a file or link, found mode ${octal(mode)}`);
  if ((mode & ~(S_IFMT | 0o7777)) !== 0) throw malformed(what, `unknown bits in mode ${octal(mode)}`);
  if (type === S_IFREG && target !== '') throw malformed(what, 'a regular file with a link target');
  return { uid, gid, mode, target: type === S_IFLNK ? target : undefined, xattrs };
}

/** GVARIANT_MALFORMED becomes OBJECT_MALFORMED, which names the object. */
export function decodeStrictly<T>(decode: () => T, what: string): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'GVARIANT_MALFORMED') {
      throw malformed(what, error.message, { cause: error });
    }
    throw error;
  }
}

function framed(variant: Uint8Array): Uint8Array {
  const out = Buffer.allocUnsafe(PREFIX + variant.length);
  out.writeUInt32BE(variant.length, 0);
  out.writeUInt32BE(0, 4);
  out.set(variant, PREFIX);
  return out;
}

/** Only files that any user can own without harm: not setuid, not world-writable. @throws OstreeError OBJECT_UNSUITABLE */
export function assertPlainMode({ mode, target }: FileHeader, what: string): void {
  if (target !== undefined || (mode & 0o7777 & ~0o775) === 0) return;
  throw new OstreeError('OBJECT_UNSUITABLE', `${what}: mode ${octal(mode)} has bits outside of 0775`);
}

export function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
