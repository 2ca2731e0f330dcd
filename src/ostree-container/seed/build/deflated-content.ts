/**
 * The content of a `.filez`, and the raw deflate that gives it. Readers of archives do not look at what lies behind the
 * end of the stream; in a gzip it would be taken for the trailer.
 */
import fs from 'node:fs';
import { codeOf } from '../../../base/error.ts';
import { inflateRawStart, inflateRawStream } from '../../../compression/index.ts';
import {
  type Checksum,
  decodeArchiveHeader,
  type ObjectReader,
  OstreeError,
  type StoredFile,
  WHOLE_LIMIT,
} from '../../../ostree/index.ts';

/** A content that is handled whole, and header: as readers of archives take it. */
export const ROOM = 2 * WHOLE_LIMIT;
/** More than any header takes: its attributes are at most 1 MiB. */
const START = 2 * 2 ** 20;

/** The caller closes it. */
export interface DeflatedContent extends Pick<StoredFile, 'header' | 'size' | 'bytes' | 'chunks' | 'close'> {
  /** After the content was read to its end; a chunk is valid until the next one is asked for. */
  deflated(): Iterable<Uint8Array>;
}

/**
 * @param room `ROOM` bytes to read into, in use until it is closed
 * @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED
 */
export function openDeflated(reader: ObjectReader, checksum: Checksum, room: Uint8Array): DeflatedContent {
  const what = `file ${checksum}`;
  const found = reader.find(checksum, 'file');
  if (found === undefined || found.mode !== 'archive') {
    throw new OstreeError('OBJECT_MISSING', `${what}: not in an archive`, { subject: checksum });
  }
  const fd = fs.openSync(found.path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    return new OpenContent(new PackedFile(fd, found.stats.size, room, what));
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

class OpenContent implements DeflatedContent {
  readonly header: StoredFile['header'];
  readonly size: number;
  readonly #file: PackedFile;
  readonly #begin: number;
  /** Where the stream ends, when that is known. */
  #end: number;

  constructor(file: PackedFile) {
    const { header, size, contentOffset } = decodeArchiveHeader(file.start(), file.what);
    this.header = header;
    this.size = size;
    this.#file = file;
    this.#begin = contentOffset;
    this.#end = file.size;
  }

  bytes(): Uint8Array {
    const packed = this.#file.whole().subarray(this.#begin);
    try {
      const { content, used } = inflateRawStart(packed, this.size);
      this.#end = this.#begin + used;
      return content;
    } catch (error) {
      throw this.#malformed(error);
    }
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let rest = 0;
    const onRest = (bytes: Uint8Array): void => {
      rest += bytes.length;
    };
    try {
      yield* inflateRawStream(this.#file.range(this.#begin, this.#file.size), this.size, onRest);
    } catch (error) {
      throw this.#malformed(error);
    }
    this.#end = this.#file.size - rest;
  }

  deflated(): Iterable<Uint8Array> {
    return this.#file.range(this.#begin, this.#end);
  }

  close(): void {
    this.#file.close();
  }

  #malformed(error: unknown): unknown {
    if (codeOf(error)?.startsWith('COMPRESSION_') !== true && codeOf(error) !== 'TOO_LARGE') return error;
    const message = `${this.#file.what}: its content cannot be unpacked`;
    return new OstreeError('OBJECT_MALFORMED', message, { cause: error });
  }
}

/** The file as it lies there, read into memory that is used again. */
class PackedFile {
  readonly size: number;
  readonly what: string;
  readonly #fd: number;
  readonly #room: Uint8Array;
  /** Of the file, from its beginning, in the room. */
  #held = 0;

  constructor(fd: number, size: number, room: Uint8Array, what: string) {
    this.#fd = fd;
    this.size = size;
    this.#room = room;
    this.what = what;
  }

  start(): Uint8Array {
    return this.#hold(Math.min(this.size, START));
  }

  /** @throws OstreeError TOO_LARGE */
  whole(): Uint8Array {
    if (this.size > this.#room.length) {
      throw new OstreeError('TOO_LARGE', `${this.what}: a file of ${this.size} bytes`);
    }
    return this.#hold(this.size);
  }

  *range(from: number, to: number): Generator<Uint8Array> {
    if (to <= this.#held) return yield this.#room.subarray(from, to);
    this.#held = 0;
    for (let at = from; at < to; ) {
      const piece = this.#room.subarray(0, Math.min(this.#room.length / 8, to - at));
      this.#read(piece, at);
      at += piece.length;
      yield piece;
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #hold(size: number): Uint8Array {
    if (this.#held < size) this.#read(this.#room.subarray(this.#held, size), this.#held);
    this.#held = Math.max(this.#held, size);
    return this.#room.subarray(0, size);
  }

  #read(into: Uint8Array, position: number): void {
    for (let done = 0; done < into.length; ) {
      const count = fs.readSync(this.#fd, into, done, into.length - done, position + done);
      if (count === 0) throw new OstreeError('OBJECT_MALFORMED', `${this.what}: has become shorter while it was read`);
      done += count;
    }
  }
}
