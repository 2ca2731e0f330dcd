/** Files of a directory, or ranges of a tar, into the repository: hash first, look up, then write. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import { printable } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { sha256 } from '../objects/checksum.ts';
import { encodeFileHeader, type FileHeader } from '../objects/file-header.ts';
import type { ObjectWriter, Stored } from '../storage/object-writer.ts';
import { CHUNK } from '../storage/stored-file.ts';
import { type JobContext, writerOf } from './table.ts';

/** What a file was when its name was looked at; it must still be that when its content was read. */
export interface FileIdentity {
  readonly ino: number;
  readonly mtimeMs: number;
}

/** Where a content lies. */
export type FileSource =
  /** A whole file, reached by a path that follows no links of others (`/proc/self/fd/N/name`). */
  | { readonly kind: 'path'; readonly path: string; readonly expected?: FileIdentity }
  /** Bytes of an open file, valid in all threads. */
  | { readonly kind: 'range'; readonly fd: number; readonly offset: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

export interface FileToStore {
  readonly header: FileHeader;
  readonly size: number;
  readonly source: FileSource;
  /** For messages. */
  readonly name: string;
}

export interface FilesBatch {
  readonly files: readonly FileToStore[];
}

export interface FilesResult {
  /** In the order of the batch. */
  readonly stored: readonly Stored[];
}

/** Larger ones are read twice in small pieces: out of the cache, and without two buffers of their size in each thread. */
const SCRATCH_LIMIT = 2 * CHUNK;

/** Header and content side by side, for one call of the hash function. */
let scratch = Buffer.allocUnsafeSlow(CHUNK);

/** @throws OstreeError FILE_CHANGED when a file is shorter or longer than it was */
export function storeFiles(context: JobContext, { files }: FilesBatch): FilesResult {
  const writer = writerOf(context);
  return { stored: files.map((file) => storeFile(writer, file)) };
}

export function storeFile(writer: ObjectWriter, file: FileToStore): Stored {
  const { header, source } = file;
  if (header.target !== undefined) return writer.putFile(header, new Uint8Array());
  if (source.kind === 'bytes') return writer.putFile(header, source.bytes);
  const start = encodeFileHeader(header);
  if (source.kind === 'range') return storeFrom(writer, file, start, source.fd, source.offset);
  const fd = fs.openSync(source.path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  try {
    const stored = storeFrom(writer, file, start, fd, 0);
    if (isChanged(fd, file, source.expected)) throw changed(file);
    return stored;
  } finally {
    fs.closeSync(fd);
  }
}

function storeFrom(writer: ObjectWriter, file: FileToStore, start: Uint8Array, fd: number, offset: number): Stored {
  return file.size <= SCRATCH_LIMIT
    ? storeWhole(writer, file, start, fd, offset)
    : storeLarge(writer, file, start, fd, offset);
}

function storeWhole(writer: ObjectWriter, file: FileToStore, start: Uint8Array, fd: number, offset: number): Stored {
  const { header, size } = file;
  const end = start.length + size;
  if (scratch.length < end + 1) scratch = Buffer.allocUnsafeSlow(Math.max(end + 1, 2 * CHUNK));
  scratch.set(start);
  fill(file, fd, scratch.subarray(start.length, end), offset);
  return writer.putHashedFile(sha256(scratch.subarray(0, end)), header, scratch.subarray(start.length, end));
}

/** Read twice, so that what is there already is neither copied nor deflated: the first time only to hash. */
function storeLarge(writer: ObjectWriter, file: FileToStore, start: Uint8Array, fd: number, offset: number): Stored {
  const hash = crypto.createHash('sha256').update(start);
  const room = Buffer.allocUnsafe(CHUNK);
  const eachChunk = (use: (chunk: Uint8Array) => void): void => {
    for (let at = 0; at < file.size; ) {
      const chunk = room.subarray(0, Math.min(room.length, file.size - at));
      fill(file, fd, chunk, offset + at);
      use(chunk);
      at += chunk.length;
    }
  };
  eachChunk((chunk) => hash.update(chunk));
  const checksum = hash.digest('hex');
  const present = writer.present(checksum, file.size);
  if (present !== undefined) return present;
  const sink = writer.beginFile(file.header, file.size);
  try {
    eachChunk((chunk) => sink.write(chunk));
    return sink.finish(checksum);
  } catch (error) {
    sink.abort();
    throw error;
  }
}

function fill(file: FileToStore, fd: number, into: Uint8Array, position: number): void {
  for (let done = 0; done < into.length; ) {
    const count = fs.readSync(fd, into, done, into.length - done, position + done);
    if (count === 0) throw changed(file);
    done += count;
  }
}

function isChanged(fd: number, { size }: FileToStore, expected: FileIdentity | undefined): boolean {
  const now = fs.fstatSync(fd);
  return (
    now.size !== size || (expected !== undefined && (now.ino !== expected.ino || now.mtimeMs !== expected.mtimeMs))
  );
}

function changed({ name }: FileToStore): OstreeError {
  return new OstreeError('FILE_CHANGED', `${printable(name)}: changed while it was read`, { subject: name });
}
