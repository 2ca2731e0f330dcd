import { crc32 } from './crc32.ts';

/** A chunk of a file, cut where its content says so. */
export interface Chunk {
  readonly offset: number;
  readonly length: number;
  readonly crc32: number;
}

export type Segment =
  | { readonly kind: 'copy'; readonly oldOffset: number; readonly length: number }
  | { readonly kind: 'literal'; readonly newOffset: number; readonly length: number };

/** How much of a new file is in an old one, and how to put it together. */
export interface ChunkMatches {
  /** Bytes of the new file in segments that are copies. */
  readonly matchedBytes: number;
  /** Chunks of the new file that the old one has too, of all: from 0 to 1. */
  readonly matchRatio: number;
  /** In the order of the new file, which they cover without gaps. No two neighbours could be one segment. */
  readonly segments: readonly Segment[];
}

/** The rolling checksum of bup sees this many bytes. */
const WINDOW = 64;
const OFFSET = 31;
/** A chunk ends where all of these bits are set: every 8 KiB on the average. */
const BOUNDARY = (1 << 13) - 1;
const LONGEST_CHUNK = 32 * 1024;

/**
 * Cut a file into chunks whose borders move with the content, so that bytes put in or taken out change few of them.
 * Source: bupsplit.c of bup and ostree-rollsum.c, which starts anew with an empty window in every chunk.
 */
export function splitChunks(bytes: Uint8Array): Chunk[] {
  const chunks: Chunk[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const length = chunkLength(bytes, offset);
    chunks.push({ offset, length, crc32: crc32(bytes.subarray(offset, offset + length)) });
    offset += length;
  }
  return chunks;
}

function chunkLength(bytes: Uint8Array, start: number): number {
  const end = Math.min(bytes.length, start + LONGEST_CHUNK);
  let s1 = WINDOW * OFFSET;
  let s2 = WINDOW * (WINDOW - 1) * OFFSET;
  for (let i = start; i < end; i++) {
    const dropped = i - start < WINDOW ? 0 : (bytes[i - WINDOW] as number);
    s1 = (s1 + (bytes[i] as number) - dropped) | 0;
    s2 = (s2 + s1 - WINDOW * (dropped + OFFSET)) | 0;
    if ((s2 & BOUNDARY) === BOUNDARY) return i + 1 - start;
  }
  return end - start;
}

/**
 * Find the chunks of a new file in an old one: by checksum, then compared in full. Copies are then made longer byte by
 * byte, into the literals beside them.
 */
export function matchChunks(oldBytes: Uint8Array, newBytes: Uint8Array): ChunkMatches {
  const known = new KnownChunks(oldBytes);
  const chunks = splitChunks(newBytes);
  const copies: Copy[] = [];
  let matched = 0;
  for (const chunk of chunks) {
    const last = copies.at(-1);
    const running = last !== undefined && last.newOffset + last.length === chunk.offset;
    const oldOffset = known.find(newBytes, chunk, running ? last.oldOffset + last.length : undefined);
    if (oldOffset === undefined) continue;
    matched++;
    if (running && oldOffset === last.oldOffset + last.length) last.length += chunk.length;
    else copies.push({ oldOffset, newOffset: chunk.offset, length: chunk.length });
  }
  lengthen(copies, oldBytes, newBytes);
  const matchedBytes = copies.reduce((sum, copy) => sum + copy.length, 0);
  const matchRatio = chunks.length === 0 ? 0 : matched / chunks.length;
  return { matchedBytes, matchRatio, segments: toSegments(copies, newBytes.length) };
}

interface Copy {
  oldOffset: number;
  newOffset: number;
  length: number;
}

/** Lengthen copies to both sides as far as the bytes agree and no other copy is in the way. */
function lengthen(copies: readonly Copy[], oldBytes: Uint8Array, newBytes: Uint8Array): void {
  copies.forEach((copy, i) => {
    const before = copies[i - 1];
    const start = before === undefined ? 0 : before.newOffset + before.length;
    const end = copies[i + 1]?.newOffset ?? newBytes.length;
    while (copy.newOffset > start && copy.oldOffset > 0) {
      if (oldBytes[copy.oldOffset - 1] !== newBytes[copy.newOffset - 1]) break;
      copy.newOffset--;
      copy.oldOffset--;
      copy.length++;
    }
    while (copy.newOffset + copy.length < end && copy.oldOffset + copy.length < oldBytes.length) {
      if (oldBytes[copy.oldOffset + copy.length] !== newBytes[copy.newOffset + copy.length]) break;
      copy.length++;
    }
  });
}

/** The copies, with literals for what lies between. */
function toSegments(copies: readonly Copy[], size: number): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  for (const { oldOffset, newOffset, length } of copies) {
    if (newOffset > at) segments.push({ kind: 'literal', newOffset: at, length: newOffset - at });
    segments.push({ kind: 'copy', oldOffset, length });
    at = newOffset + length;
  }
  if (size > at) segments.push({ kind: 'literal', newOffset: at, length: size - at });
  return segments;
}

/** The chunks of the old file by checksum; of equal ones only the first. */
class KnownChunks {
  readonly #bytes: Uint8Array;
  readonly #byChecksum = new Map<number, Chunk[]>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    for (const chunk of splitChunks(bytes)) {
      const same = this.#byChecksum.get(chunk.crc32);
      if (same === undefined) this.#byChecksum.set(chunk.crc32, [chunk]);
      else if (!same.some((other) => this.#equals(other.offset, bytes, chunk))) same.push(chunk);
    }
  }

  /** Where the old file has the bytes of this chunk, at `preferred` if it has them there. */
  find(newBytes: Uint8Array, chunk: Chunk, preferred: number | undefined): number | undefined {
    if (preferred !== undefined && this.#equals(preferred, newBytes, chunk)) return preferred;
    return this.#byChecksum.get(chunk.crc32)?.find((old) => this.#equals(old.offset, newBytes, chunk))?.offset;
  }

  #equals(oldOffset: number, bytes: Uint8Array, { offset, length }: Chunk): boolean {
    if (oldOffset + length > this.#bytes.length) return false;
    return (
      Buffer.compare(this.#bytes.subarray(oldOffset, oldOffset + length), bytes.subarray(offset, offset + length)) === 0
    );
  }
}
