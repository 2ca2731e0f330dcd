/** A deterministic archive: the same entries in the same order give the same bytes, on every machine. */
import { quote } from '../base/text.ts';
import { BLOCK, padded } from './block.ts';
import type { TarEntryType, TarTime, TarXattr } from './entry.ts';
import { malformed, TarError } from './error.ts';
import { encodeGnuHeaders } from './gnu-header-writer.ts';
import { encodeHeaders, type HeaderValues } from './header-writer.ts';
import { assertName } from './text-field.ts';

/** The meaning is that of `TarEntry`. */
export interface TarWriterEntry {
  /** Written as it is; a directory gets its slash in the dialect `pax`. */
  readonly path: string;
  readonly type: TarEntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Default: empty. */
  readonly uname?: string;
  readonly gname?: string;
  /** Default: 1970. */
  readonly mtime?: TarTime;
  /** Of a file; may be left out when its data are one buffer or nothing. */
  readonly size?: number;
  /** Of symlinks and hard links, and of nothing else. */
  readonly linkTarget?: string | undefined;
  /** Of devices, 0:0 when left out, and of nothing else; each number below 2^21. */
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
  /** In any order; a name twice is refused. */
  readonly xattrs?: readonly TarXattr[];
}

const EPOCH: TarTime = { seconds: 0, nanoseconds: 0 };
const NO_DEVICE = { major: 0, minor: 0 };

/**
 * How headers are written. `pax`: ustar where it fits and pax records where it does not. `gnu`: that of GNU tar, long
 * names in records `L` and `K`, large numbers in base-256, and pax records for xattrs alone.
 */
export type TarDialect = 'pax' | 'gnu';

/** After an error the archive is of no use. */
export class TarWriter {
  readonly #write: (chunk: Uint8Array) => void | Promise<void>;
  readonly #dialect: TarDialect;
  #isOver = false;

  /** `write` gets every chunk in order; chunks of data are the caller's own, and not copied. */
  constructor(write: (chunk: Uint8Array) => void | Promise<void>, dialect: TarDialect = 'pax') {
    this.#write = write;
    this.#dialect = dialect;
  }

  /**
   * The next entry; only files have data, exactly as many as their size says.
   *
   * @throws TarError TAR_SIZE, TAR_NAME, TAR_MALFORMED for a number that no header holds
   */
  async add(entry: TarWriterEntry, data?: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#isOver) throw new Error('the archive is finished, or has failed');
    this.#isOver = true;
    const size = sizeOf(entry, data);
    await this.#write(headersOf(entry, size, this.#dialect));
    if (data instanceof Uint8Array) {
      if (size > 0) await this.#write(data);
    } else if (data !== undefined) {
      await this.#copy(entry.path, size, data);
    }
    if (size % BLOCK !== 0) await this.#write(Buffer.alloc(padded(size) - size));
    this.#isOver = false;
  }

  /** Two zero blocks, and no padding to the 10 KiB of tapes. */
  async finish(): Promise<void> {
    if (this.#isOver) throw new Error('the archive is finished, or has failed');
    this.#isOver = true;
    await this.#write(Buffer.alloc(2 * BLOCK));
  }

  async #copy(path: string, size: number, data: AsyncIterable<Uint8Array>): Promise<void> {
    let written = 0;
    for await (const chunk of data) {
      written += chunk.length;
      if (written > size) throw wrongSize(path, size, 'more');
      if (chunk.length > 0) await this.#write(chunk);
    }
    if (written < size) throw wrongSize(path, size, written);
  }
}

function sizeOf(
  { path, type, size }: TarWriterEntry,
  data: Uint8Array | AsyncIterable<Uint8Array> | undefined,
): number {
  const known = data instanceof Uint8Array ? data.length : data === undefined ? 0 : undefined;
  const stated = size ?? known ?? 0;
  if (known !== undefined && stated !== known) throw wrongSize(path, stated, known);
  if (type !== 'file' && stated !== 0) throw wrongSize(path, 0, stated);
  if (!Number.isSafeInteger(stated) || stated < 0) throw malformed('size', 'a number of bytes', stated);
  return stated;
}

function wrongSize(path: string, expected: number, found: number | 'more'): TarError {
  return new TarError('TAR_SIZE', `tar entry ${quote(path)}: expected ${expected} bytes of data, found ${found}`);
}

function headersOf(entry: TarWriterEntry, size: number, dialect: TarDialect): Buffer {
  const values = valuesOf(entry, size);
  if (dialect === 'gnu') return encodeGnuHeaders(values);
  const isBare = values.type === 'directory' && !values.path.endsWith('/');
  return encodeHeaders(isBare ? { ...values, path: `${values.path}/` } : values);
}

function valuesOf(entry: TarWriterEntry, size: number): HeaderValues {
  const { path, type, mode, uid, gid, uname = '', gname = '', mtime = EPOCH, device, linkTarget, xattrs = [] } = entry;
  assertName(path, 'path');
  if (type === 'file' && path.endsWith('/'))
    throw new TarError('TAR_NAME', `tar path ${quote(path)}: is that of a directory`);
  for (const name of [uname, gname]) if (name !== '') assertName(name, 'owner');
  assertXattrs(xattrs);
  assertNumbers(entry);
  return {
    path,
    type,
    mode,
    uid,
    gid,
    uname,
    gname,
    mtime,
    size,
    linkTarget: targetOf(type, linkTarget),
    device: deviceOf(type, device),
    xattrs,
  };
}

function targetOf(type: TarEntryType, target: string | undefined): string {
  if (type !== 'symlink' && type !== 'hardlink') {
    if (target !== undefined) throw malformed(type, 'no link target', target);
    return '';
  }
  assertName(target ?? '', 'link target');
  return target ?? '';
}

function deviceOf(type: TarEntryType, device: HeaderValues['device'] = NO_DEVICE): HeaderValues['device'] {
  if (type !== 'character' && type !== 'block' && device !== NO_DEVICE) throw malformed(type, 'no device numbers');
  return device;
}

function assertXattrs(xattrs: readonly TarXattr[]): void {
  for (const [name] of xattrs) assertName(name, 'xattr name');
  if (new Set(xattrs.map(([name]) => name)).size < xattrs.length) throw malformed('xattrs', 'each name once');
}

function assertNumbers({ mode, uid, gid, mtime = EPOCH, device = NO_DEVICE }: TarWriterEntry): void {
  assertWithin('mode', mode, 0, 0o7777);
  assertWithin('user id', uid, 0, 2 ** 32 - 2);
  assertWithin('group id', gid, 0, 2 ** 32 - 2);
  assertWithin('seconds', mtime.seconds, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  assertWithin('nanoseconds', mtime.nanoseconds, 0, 999_999_999);
  assertWithin('device number', device.major, 0, 8 ** 7 - 1);
  assertWithin('device number', device.minor, 0, 8 ** 7 - 1);
}

function assertWithin(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw malformed(what, `a number from ${min} to ${max}`, value);
}
