/**
 * Headers as GNU tar makes them.
 *
 * Shape: a name or a link target of more than 100 bytes comes before its header, whole and with a NUL behind it, as the
 * data of an entry `././@LongLink` of type `L` or `K`; one of exactly 100 bytes fits, without a NUL. Names are bare
 * bytes, numbers are octal or base-256, times whole seconds. GNU has no place for xattrs: they are in a pax header of
 * their own, which GNU tar takes in any archive.
 * Source: GNU tar manual, "Basic Tar Format"; tar.h of GNU tar.
 */
import { BLOCK, padded } from './block.ts';
import { malformed } from './error.ts';
import {
  DEVICE_MAJOR,
  DEVICE_MINOR,
  type Field,
  GID,
  GNAME,
  LINK_NAME,
  MAGIC,
  MODE,
  MTIME,
  NAME,
  SIZE,
  TYPE,
  UID,
  UNAME,
} from './header.ts';
import { encodePax, type HeaderValues, LETTERS, sealed, xattrRecords } from './header-writer.ts';
import { encodeNumber, encodeOctal } from './number-field.ts';

const LONG_NAME = '././@LongLink';

/** The blocks before an entry's data. @throws TarError TAR_MALFORMED for what GNU headers cannot say */
export function encodeGnuHeaders(values: HeaderValues): Buffer {
  const { path, linkTarget, xattrs, mtime } = values;
  if (mtime.nanoseconds > 0) throw malformed('time', 'whole seconds in a GNU header', mtime.nanoseconds);
  return Buffer.concat([
    ...(xattrs.length === 0 ? [] : encodePax(path, xattrRecords(xattrs))),
    ...longRecord('K', linkTarget),
    ...longRecord('L', path),
    encodeBlock(values),
  ]);
}

function longRecord(letter: 'K' | 'L', text: string): Buffer[] {
  const size = Buffer.byteLength(text);
  if (size <= NAME[1]) return [];
  const body = Buffer.alloc(padded(size + 1));
  body.write(text);
  const header = startBlock(LONG_NAME, letter, 0o644);
  encodeNumber(header, ...SIZE, size + 1);
  return [sealed(header), body];
}

function encodeBlock(values: HeaderValues): Buffer {
  const block = startBlock(values.path, LETTERS[values.type], values.mode);
  encodeNumber(block, ...UID, values.uid);
  encodeNumber(block, ...GID, values.gid);
  encodeNumber(block, ...SIZE, values.size);
  encodeNumber(block, ...MTIME, values.mtime.seconds);
  putBytes(block, LINK_NAME, values.linkTarget);
  putOwner(block, UNAME, values.uname);
  putOwner(block, GNAME, values.gname);
  encodeOctal(block, ...DEVICE_MAJOR, values.device.major);
  encodeOctal(block, ...DEVICE_MINOR, values.device.minor);
  return sealed(block);
}

/** All numbers are 0. */
function startBlock(path: string, letter: string, mode: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  putBytes(block, NAME, path);
  encodeOctal(block, ...MODE, mode);
  for (const field of [UID, GID, SIZE, MTIME]) encodeOctal(block, ...field, 0);
  block.write(letter, TYPE, 'latin1');
  block.write('ustar  \0', MAGIC, 'latin1');
  return block;
}

/** As much of it as there is room for. */
function putBytes(block: Buffer, [start, length]: Field, text: string): void {
  Buffer.from(text).copy(block, start, 0, length);
}

function putOwner(block: Buffer, field: Field, name: string): void {
  if (Buffer.byteLength(name) > field[1]) throw malformed('owner', `a name of at most ${field[1]} bytes`, name);
  putBytes(block, field, name);
}
