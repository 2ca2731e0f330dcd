/** What a header and the records before it say together about one entry. */
import type { TarEntry, TarEntryType, TarTime } from './entry.ts';
import { malformed, overLimit, TarError } from './error.ts';
import {
  DEVICE_MAJOR,
  DEVICE_MINOR,
  type Dialect,
  GID,
  GNAME,
  headerPath,
  LINK_NAME,
  MODE,
  numberField,
  TYPE,
  timeField,
  UID,
  UNAME,
} from './header.ts';
import type { Overrides } from './pax.ts';
import { decodeTextField } from './text-field.ts';
import { sortXattrs } from './xattr-record.ts';

/** What comes before a header and is about the entry that it begins. */
export interface Preamble {
  readonly overrides: Overrides;
  readonly longPath: string | undefined;
  readonly longLink: string | undefined;
}

/** Where the data of an entry are, and what its holes are. */
export type DataPlace = Pick<TarEntry, 'size' | 'sparse' | 'dataOffset' | 'storedSize'>;

/** Letters by their type: 7 is a file that wants to lie in one piece, D a folder with a list of its names. */
const TYPES: Readonly<Record<string, TarEntryType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  D: 'directory',
  S: 'file',
};
const BY_CODE = Array.from({ length: 256 }, (_, code) => TYPES[String.fromCharCode(code)]);

/** 2^32 - 1 is no id: chown takes it for "leave as it is". */
const HIGHEST_ID = 2 ** 32 - 2;
const HIGHEST_DEVICE = 2 ** 32 - 1;

/** The type that the letter of a header says. */
export function typeOf(block: Buffer, dialect: Dialect): TarEntryType {
  const code = block[TYPE] ?? 0;
  const type = BY_CODE[code];
  if (type === undefined || (code === 0x53 && dialect !== 'gnu')) {
    throw new TarError(
      'TAR_UNSUPPORTED',
      `tar entry: type ${JSON.stringify(String.fromCharCode(code))} is not supported`,
    );
  }
  return type;
}

/** Path as stored, with its slashes. */
export function storedPath(block: Buffer, dialect: Dialect, before: Preamble, pathLength: number): string {
  const { sparse, path: paxPath } = before.overrides;
  const path = sparse?.name ?? paxPath ?? before.longPath ?? headerPath(block, dialect);
  if (path === '') throw new TarError('TAR_NAME', 'tar entry: its path is empty');
  assertLength(path, 'path', pathLength);
  return path;
}

export interface EntryParts {
  readonly block: Buffer;
  readonly dialect: Dialect;
  readonly before: Preamble;
  readonly path: string;
  readonly type: TarEntryType;
  readonly place: DataPlace;
  readonly pathLength: number;
}

export function entryOf({ block, dialect, before, path, type, place, pathLength }: EntryParts): TarEntry {
  const { overrides } = before;
  const hasNames = dialect !== 'v7';
  return {
    path: type === 'directory' ? withoutSlashes(path) : path,
    type,
    mode: numberField(block, MODE, 'mode') & 0o7777,
    uid: within(overrides.uid ?? numberField(block, UID, 'user id'), HIGHEST_ID, 'user id'),
    gid: within(overrides.gid ?? numberField(block, GID, 'group id'), HIGHEST_ID, 'group id'),
    uname: overrides.uname ?? (hasNames ? decodeTextField(block, ...UNAME) : ''),
    gname: overrides.gname ?? (hasNames ? decodeTextField(block, ...GNAME) : ''),
    mtime: overrides.mtime ?? timeOf(block),
    size: place.size,
    linkTarget: type === 'symlink' || type === 'hardlink' ? linkTargetOf(block, before, pathLength) : undefined,
    device: type === 'character' || type === 'block' ? deviceOf(block, dialect, overrides) : undefined,
    xattrs: sortXattrs(overrides.xattrs),
    sparse: place.sparse,
    dataOffset: place.dataOffset,
    storedSize: place.storedSize,
  };
}

function timeOf(block: Buffer): TarTime {
  return { seconds: timeField(block), nanoseconds: 0 };
}

function linkTargetOf(block: Buffer, before: Preamble, pathLength: number): string {
  const target = before.overrides.linkTarget ?? before.longLink ?? decodeTextField(block, ...LINK_NAME);
  if (target === '') throw new TarError('TAR_NAME', 'tar entry: its link target is empty');
  assertLength(target, 'link target', pathLength);
  return target;
}

function deviceOf(block: Buffer, dialect: Dialect, { major, minor }: Overrides): { major: number; minor: number } {
  if (dialect === 'v7') throw malformed('device', 'a ustar header, v7 has no numbers of devices');
  return {
    major: within(major ?? numberField(block, DEVICE_MAJOR, 'device number'), HIGHEST_DEVICE, 'device number'),
    minor: within(minor ?? numberField(block, DEVICE_MINOR, 'device number'), HIGHEST_DEVICE, 'device number'),
  };
}

function within(value: number, max: number, what: string): number {
  if (value > max) throw malformed(what, `a number from 0 to ${max}`, value);
  return value;
}

function assertLength(text: string, what: string, limit: number): void {
  if (text.length * 3 > limit && Buffer.byteLength(text) > limit) throw overLimit(what, limit, 'bytes');
}

/** `/` stays what it is. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path.charCodeAt(end - 1) === 0x2f) end--;
  return end === path.length ? path : path.slice(0, end);
}
