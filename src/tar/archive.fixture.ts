/** Archives made by hand, for what no tar would write. */
import assert from 'node:assert/strict';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeScratch } from '../../test/support/scratch.ts';
import { padded } from './block.ts';
import type { TarEntry, TarLimits } from './entry.ts';
import { checksum } from './header.ts';
import { readTar } from './read.ts';
import { scanTar } from './scan.ts';

export const USTAR = 'ustar\x0000';
export const GNU = 'ustar  \0';
export const END = Buffer.alloc(1024);

/** Texts as they lie in the fields of a header; what is left out is that of an empty file called `file`. */
export interface RawHeader {
  readonly name?: string | Buffer;
  readonly mode?: string | Buffer;
  readonly uid?: string | Buffer;
  readonly gid?: string | Buffer;
  readonly size?: string | Buffer | number;
  readonly mtime?: string | Buffer;
  readonly checksum?: string;
  readonly type?: string;
  readonly link?: string | Buffer;
  readonly magic?: string;
  readonly uname?: string | Buffer;
  readonly major?: string;
  readonly minor?: string;
  /** From byte 345 on: a prefix, or the sparse map of GNU. */
  readonly rest?: string | Buffer;
}

export function header(raw: RawHeader = {}): Buffer {
  const block = Buffer.alloc(512);
  const put = (at: number, value: string | Buffer): void => void Buffer.from(value as string, 'latin1').copy(block, at);
  put(0, raw.name ?? 'file');
  put(100, raw.mode ?? '0000644\0');
  put(108, raw.uid ?? '0000000\0');
  put(116, raw.gid ?? '0000000\0');
  put(124, typeof raw.size === 'number' ? raw.size.toString(8).padStart(11, '0') : (raw.size ?? '00000000000\0'));
  put(136, raw.mtime ?? '00000000000\0');
  put(156, raw.type ?? '0');
  put(157, raw.link ?? '');
  put(257, raw.magic ?? USTAR);
  put(265, raw.uname ?? '');
  put(329, raw.major ?? '');
  put(337, raw.minor ?? '');
  put(345, raw.rest ?? '');
  put(148, raw.checksum ?? `${checksum(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** Bytes and the zeros that fill their last block. */
export function blocks(...parts: readonly (string | Buffer)[]): Buffer {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return Buffer.concat([bytes], padded(bytes.length));
}

/** A pax record with its true length. */
export function record(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length++;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** A pax header with its records. */
export function pax(records: readonly (readonly [key: string, value: string | Buffer])[], type = 'x'): Buffer {
  const body = Buffer.concat(records.map(([key, value]) => record(key, value)));
  return Buffer.concat([header({ name: 'pax', type, size: body.length }), blocks(body)]);
}

export async function* chunked(bytes: Uint8Array, length = bytes.length): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield Uint8Array.from(bytes.subarray(at, at + length));
}

/** Goes when the process ends. */
let folder: string | undefined;

/** What `scanTar` says about these bytes in a file. */
export function scan(archive: Uint8Array, limits?: TarLimits): TarEntry[] {
  folder ??= makeScratch();
  const file = join(folder, 'archive');
  const fd = openSync(file, 'w+');
  try {
    writeSync(fd, archive);
    return [...scanTar(fd, limits)];
  } finally {
    closeSync(fd);
    unlinkSync(file);
  }
}

export interface Content {
  readonly entry: TarEntry;
  readonly data: Buffer;
}

/** What `readTar` says about these bytes in chunks. */
export async function read(archive: Uint8Array, chunk?: number, limits?: TarLimits): Promise<Content[]> {
  const found: Content[] = [];
  for await (const { data, whole, ...entry } of readTar(chunked(archive, chunk), limits)) {
    const parts: Buffer[] = [];
    const here = found.length % 2 === 0 ? whole() : undefined; // by both ways
    if (here !== undefined) parts.push(Buffer.from(here));
    else for await (const part of data()) parts.push(Buffer.from(part));
    found.push({ entry, data: Buffer.concat(parts) });
  }
  return found;
}

/** Both readers refuse the archive with this code. */
export async function assertRefused(archive: Uint8Array, code: string, limits?: TarLimits): Promise<void> {
  assert.throws(() => scan(archive, limits), { name: 'TarError', code });
  for (const chunk of [undefined, 700]) await assert.rejects(read(archive, chunk, limits), { name: 'TarError', code });
}

/** The one entry that both readers find. */
export async function onlyEntry(archive: Uint8Array, limits?: TarLimits): Promise<TarEntry> {
  const [entry, ...more] = scan(archive, limits);
  assert.ok(entry !== undefined && more.length === 0, `${more.length} more entries`);
  assert.deepEqual(
    (await read(archive, 700, limits)).map((found) => found.entry),
    [entry],
  );
  return entry;
}
