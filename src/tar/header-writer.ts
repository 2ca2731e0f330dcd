/**
 * Headers as the writer makes them: ustar, with a pax header before it for what does not fit there.
 *
 * Shape: the pax header is called `PaxHeaders/` and the last part of the path, and has no owner and no time, so that
 * the same entry gives the same bytes. Its records are in the order of their keys. Names that are not ASCII are in
 * pax records, as POSIX wants it, and as UTF-8 in the header as well, cut off where they do not fit.
 */
import { BLOCK, padded } from './block.ts';
import type { TarEntryType, TarTime, TarXattr } from './entry.ts';
import { malformed } from './error.ts';
import {
  CHECKSUM,
  checksum,
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
  PREFIX,
  SIZE,
  TYPE,
  UID,
  UNAME,
} from './header.ts';
import { encodeOctal, fitsOctal } from './number-field.ts';
import { encodeRecords, formatTime, type PaxRecord } from './pax-writer.ts';
import { schilyKey } from './xattr-record.ts';

/** The type letter of a header. */
export const LETTERS: Readonly<Record<TarEntryType | 'pax', string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
  pax: 'x',
};

/** What a header says, with nothing left open. */
export interface HeaderValues {
  /** As it is written. */
  readonly path: string;
  readonly type: TarEntryType | 'pax';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  readonly mtime: TarTime;
  readonly size: number;
  readonly linkTarget: string;
  readonly device: { readonly major: number; readonly minor: number };
  readonly xattrs: readonly TarXattr[];
}

/** The blocks before an entry's data. */
export function encodeHeaders(values: HeaderValues): Buffer {
  const records: PaxRecord[] = [];
  const header = encodeHeader(values, (key, value) =>
    records.push({ key: Buffer.from(key), value: Buffer.from(value) }),
  );
  records.push(...xattrRecords(values.xattrs));
  return records.length === 0 ? header : Buffer.concat([...encodePax(values.path, records), header]);
}

export function xattrRecords(xattrs: readonly TarXattr[]): PaxRecord[] {
  return xattrs.map(([name, value]) => ({
    key: Buffer.from(schilyKey(name)),
    value: Buffer.from(value.buffer, value.byteOffset, value.length),
  }));
}

/** Takes what does not fit into the header. */
type Overflow = (key: string, value: string) => void;

function encodeHeader(values: HeaderValues, overflow: Overflow): Buffer {
  const block = Buffer.alloc(BLOCK);
  putPath(block, values.path, overflow);
  encodeOctal(block, ...MODE, values.mode);
  putNumber(block, UID, 'uid', values.uid, overflow);
  putNumber(block, GID, 'gid', values.gid, overflow);
  putNumber(block, SIZE, 'size', values.size, overflow);
  putTime(block, values.mtime, overflow);
  block.write(LETTERS[values.type], TYPE, 'latin1');
  putText(block, LINK_NAME, 'linkpath', values.linkTarget, overflow);
  block.write('ustar\x0000', MAGIC, 'latin1');
  putText(block, UNAME, 'uname', values.uname, overflow);
  putText(block, GNAME, 'gname', values.gname, overflow);
  encodeOctal(block, ...DEVICE_MAJOR, values.device.major);
  encodeOctal(block, ...DEVICE_MINOR, values.device.minor);
  return sealed(block);
}

/** With its checksum: six digits, a NUL and a space. */
export function sealed(block: Buffer): Buffer {
  encodeOctal(block, CHECKSUM[0], CHECKSUM[1] - 1, checksum(block));
  block[CHECKSUM[0] + CHECKSUM[1] - 1] = 0x20;
  return block;
}

/** In one piece, or cut at a slash. */
function putPath(block: Buffer, path: string, overflow: Overflow): void {
  const bytes = Buffer.byteLength(path) > NAME[1] ? Buffer.from(path) : undefined;
  const slash = bytes === undefined ? -1 : splitAt(bytes);
  if (bytes === undefined || slash < 0) {
    putText(block, NAME, 'path', path, overflow);
    return;
  }
  bytes.copy(block, PREFIX[0], 0, slash);
  bytes.copy(block, NAME[0], slash + 1);
  if (bytes.length !== path.length) overflow('path', path);
}

/** The last slash with a prefix before it and a name behind it that fit; -1 when there is none. */
function splitAt(bytes: Buffer): number {
  for (let at = Math.min(PREFIX[1], bytes.length - 2); at > 0 && bytes.length - at - 1 <= NAME[1]; at--) {
    if (bytes[at] === 0x2f) return at;
  }
  return -1;
}

function putText(block: Buffer, [start, length]: Field, key: string, text: string, overflow: Overflow): void {
  const size = Buffer.byteLength(text);
  if (size > length || size !== text.length) overflow(key, text); // ASCII has as many bytes as characters
  block.write(text, start, length, 'utf8'); // never half a character
}

function putNumber(block: Buffer, [start, length]: Field, key: string, value: number, overflow: Overflow): void {
  const fits = fitsOctal(value, length);
  if (!fits) overflow(key, String(value));
  encodeOctal(block, start, length, fits ? value : 0);
}

function putTime(block: Buffer, { seconds, nanoseconds }: TarTime, overflow: Overflow): void {
  const fits = fitsOctal(seconds, MTIME[1]);
  if (!fits || nanoseconds > 0) overflow('mtime', formatTime(seconds, nanoseconds));
  encodeOctal(block, ...MTIME, fits ? seconds : 0);
}

/** The pax header, its records, their padding. */
export function encodePax(path: string, records: readonly PaxRecord[]): Buffer[] {
  const body = encodeRecords(records);
  const name = Buffer.from(path.split('/').findLast((part) => part !== '') ?? '');
  const header = encodeHeader(
    {
      path: `PaxHeaders/${asciiName(name)}`,
      type: 'pax',
      mode: 0o644,
      uid: 0,
      gid: 0,
      uname: '',
      gname: '',
      mtime: { seconds: 0, nanoseconds: 0 },
      size: body.length,
      linkTarget: '',
      device: { major: 0, minor: 0 },
      xattrs: [],
    },
    (key) => {
      throw malformed(`pax header ${key}`, 'a value that fits', path);
    },
  );
  return [header, body, Buffer.alloc(padded(body.length) - body.length)];
}

/** Nobody reads it; it has to fit, and to be ASCII. */
function asciiName(name: Buffer): string {
  return name.toString('latin1', 0, NAME[1] - 'PaxHeaders/'.length).replace(/[^ -~]/g, '_');
}
