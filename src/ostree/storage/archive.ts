/** Mode `archive`: objects are `.filez`, a header and the raw-deflated content, for any web server; spec 4.3. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { deflatePiece, deflateRaw, inflateRaw, inflateRawStream } from '../../compression/index.ts';
import { malformed, OstreeError } from '../error.ts';
import {
  type ArchiveHeader,
  archiveHeaderEnd,
  decodeArchiveHeader,
  encodeArchiveHeader,
  type FileHeader,
} from '../objects/file-header.ts';
import type { FileFormat, FileWriter } from './file-format.ts';
import { openObject } from './open-object.ts';
import { readChunks, readExactly, writePlain } from './plain-file.ts';
import { CHUNK, type StoredFile, WHOLE_LIMIT } from './stored-file.ts';

/** What a first read takes: header and content of most files. */
const FIRST_READ = 64 * 1024;

export const archive: FileFormat = { extension: 'filez', open: openArchived, begin: beginArchived };

function openArchived(path: string, what: string): StoredFile {
  const { fd, size: storedSize } = openObject(path, what);
  try {
    const start = readStart(fd, storedSize, what);
    const archived = decodeArchiveHeader(start, what);
    return {
      header: archived.header,
      size: archived.size,
      storedSize,
      plainFd: undefined,
      bytes: () => inflateWhole(readRest(fd, start, archived, storedSize, what), archived.size, what),
      chunks: () => inflatePieces(fd, archived, storedSize, what),
      close: () => fs.closeSync(fd),
    };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** The beginning, the whole header at least. */
function readStart(fd: number, storedSize: number, what: string): Uint8Array {
  const first = Buffer.allocUnsafe(Math.min(FIRST_READ, storedSize));
  readExactly(fd, first, 0, what);
  const end = archiveHeaderEnd(first, what);
  if (end <= first.length) return first;
  if (end > storedSize) throw malformed(what, `expected a header of ${end} bytes, found ${storedSize}`);
  const start = Buffer.allocUnsafe(end);
  readExactly(fd, start, 0, what);
  return start;
}

function readRest(
  fd: number,
  start: Uint8Array,
  archived: ArchiveHeader,
  storedSize: number,
  what: string,
): Uint8Array {
  if (start.length === storedSize) return start.subarray(archived.contentOffset);
  // Deflated or not, what fits into a buffer does not take twice its size.
  if (storedSize > 2 * WHOLE_LIMIT) throw new OstreeError('TOO_LARGE', `${what}: a file of ${storedSize} bytes`);
  const rest = Buffer.allocUnsafe(storedSize - archived.contentOffset);
  readExactly(fd, rest, archived.contentOffset, what);
  return rest;
}

/** @throws OstreeError OBJECT_MALFORMED, TOO_LARGE */
export function inflateWhole(deflated: Uint8Array, size: number, what: string): Uint8Array {
  if (size > WHOLE_LIMIT)
    throw new OstreeError('TOO_LARGE', `${what}: ${size} bytes are more than fit into one buffer`);
  if (size === 0 && deflated.length === 0) return new Uint8Array(); // a link has no stream at all
  try {
    return inflateRaw(deflated, size);
  } catch (error) {
    throw asMalformed(error, what);
  }
}

async function* inflatePieces(
  fd: number,
  { size, contentOffset }: ArchiveHeader,
  storedSize: number,
  what: string,
): AsyncIterable<Uint8Array> {
  if (size === 0 && storedSize === contentOffset) return; // as above
  yield* inflating(inflateRawStream(readChunks(fd, storedSize, what, contentOffset), size), what);
}

export async function* inflating(content: AsyncIterable<Uint8Array>, what: string): AsyncIterable<Uint8Array> {
  try {
    yield* content;
  } catch (error) {
    throw asMalformed(error, what);
  }
}

function asMalformed(error: unknown, what: string): unknown {
  const code = codeOf(error);
  if (code?.startsWith('COMPRESSION_') !== true && code !== 'TOO_LARGE') return error;
  return malformed(what, 'its content cannot be unpacked', { cause: error });
}

function beginArchived(path: string, header: FileHeader, size: number, level: number): FileWriter {
  const file = writePlain(path, (fd) => fs.fchmodSync(fd, 0o644));
  if (header.target === undefined && size <= CHUNK) return wholeWriter(file, header, size, level);
  try {
    file.write(encodeArchiveHeader(header, size));
  } catch (error) {
    file.abort(); // the caller has no writer yet that it could end
    throw error;
  }
  return header.target === undefined ? pieceWriter(file, level) : file;
}

/** One small content, given in one piece. */
function wholeWriter(file: FileWriter, header: FileHeader, size: number, level: number): FileWriter {
  const pieces: Uint8Array[] = [];
  return {
    ...file,
    write: (chunk) => void pieces.push(chunk.length === size ? chunk : Buffer.from(chunk)),
    finish(flush) {
      const [first] = pieces;
      const content = pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
      file.write(Buffer.concat([encodeArchiveHeader(header, size), deflateRaw(content, level)]));
      return file.finish(flush);
    },
  };
}

const WINDOW = 32 * 1024;

/** Deflated piece by piece, without waiting and with bounded memory. */
function pieceWriter(file: FileWriter, level: number): FileWriter {
  const piece = Buffer.allocUnsafe(CHUNK);
  let filled = 0;
  let before: Uint8Array = new Uint8Array();
  const flush = (last: boolean): void => {
    file.write(deflatePiece(piece.subarray(0, filled), { level, before, last }));
    before = Buffer.from(piece.subarray(Math.max(0, filled - WINDOW), filled));
    filled = 0;
  };
  return {
    ...file,
    write(chunk) {
      for (let at = 0; at < chunk.length; ) {
        if (filled === piece.length) flush(false);
        const part = chunk.subarray(at, at + piece.length - filled);
        piece.set(part, filled);
        filled += part.length;
        at += part.length;
      }
    },
    finish(how) {
      flush(true);
      return file.finish(how);
    },
  };
}
