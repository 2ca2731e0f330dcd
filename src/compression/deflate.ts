/** Raw deflate (RFC 1951) of whole buffers: the content of archive objects, hot, therefore synchronous. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { malformed, tooLarge } from './error.ts';

/** Output is allocated in pieces of at most so much: a declared size is believed only as data arrives. */
const MAX_CHUNK = 4 * 2 ** 20;
/** The least that zlib takes. */
const MIN_CHUNK = 64;
/** How far back deflate can refer. */
const WINDOW = 32 * 2 ** 10;
/** Larger content is for `inflateRawStream`. */
const MAX_SIZE = 2 ** 30;

/**
 * The content of a raw deflate stream that must hold exactly `size` bytes: less, or more, is malformed. What follows
 * the end of the stream is not looked at, as other readers do, which stop at `size` bytes; nothing that is hashed
 * lies there.
 * @throws CompressionError COMPRESSION_MALFORMED; TOO_LARGE for a size above 1 GiB
 */
export function inflateRaw(bytes: Uint8Array, size: number): Uint8Array {
  return inflateRawStart(bytes, size).content;
}

/** The same, and how many of the bytes are the stream. */
export function inflateRawStart(
  bytes: Uint8Array,
  size: number,
): { readonly content: Uint8Array; readonly used: number } {
  if (size > MAX_SIZE) throw tooLarge('deflate stream', MAX_SIZE);
  const { buffer: content, engine } = inflate(bytes, size);
  if (content.length !== size) throw malformed('deflate stream', `${size} bytes`, sizeFound(content.length, size));
  return { content, used: engine.bytesWritten };
}

interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

/** One byte of room beyond `size`: so one call both fits and shows whether there is more. */
function inflate(bytes: Uint8Array, size: number): Inflated {
  try {
    const options = { chunkSize: chunkFor(size + 1), maxOutputLength: size + 1, info: true };
    return inflateRawSync(bytes, options) as unknown as Inflated; // what `info` asks for; its types do not say so
  } catch (error) {
    throw malformed('deflate stream', `${size} bytes`, 'damaged, unfinished or larger data', error);
  }
}

function sizeFound(found: number, expected: number): string {
  return found > expected ? 'more' : `${found}`;
}

/** One whole raw deflate stream; nothing gives `03 00`. Level 0 to 9 as zlib's. */
export function deflateRaw(bytes: Uint8Array, level: number): Uint8Array {
  return deflateRawSync(bytes, { level, chunkSize: chunkFor(deflateBound(bytes.length)) });
}

export interface PieceOptions {
  readonly level: number;
  /** What comes right before the piece, at least its last 32 KiB; empty for the first piece. */
  readonly before: Uint8Array;
  /** Finishes the stream. */
  readonly last: boolean;
}

/**
 * One piece of a raw deflate stream. The outputs of all pieces, in order, are one valid stream: each but the last
 * ends on a byte boundary (Z_SYNC_FLUSH), and refers back only into `before`. Pieces need nothing else of each other,
 * so they may be compressed in any thread.
 */
export function deflatePiece(piece: Uint8Array, { level, before, last }: PieceOptions): Uint8Array {
  return deflateRawSync(piece, {
    level,
    chunkSize: chunkFor(deflateBound(piece.length)),
    finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    ...(before.length > 0 && { dictionary: before.subarray(-WINDOW) }),
  });
}

/** What cannot be compressed grows by five bytes per stored block; one byte more, or zlib asks for a second buffer. */
function deflateBound(length: number): number {
  return length + (length >>> 10) + MIN_CHUNK;
}

function chunkFor(length: number): number {
  return Math.max(MIN_CHUNK, Math.min(length, MAX_CHUNK));
}
