/**
 * A file as the archive form (`.filez`) of its content object: the header, then the content as raw deflate.
 * One level of compression for good: the same file gives the same bytes, so that clients may ask for parts.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { constants, createDeflateRaw } from 'node:zlib';
import { type Checksum, encodeArchiveHeader, encodeFileHeader, type FileHeader } from '../../../ostree/index.ts';

const readAt = promisify(fs.read);
const PIECE = 64 * 1024;
const LEVEL = 6;

export interface OpenContent {
  readonly fd: number;
  readonly size: number;
  readonly header: FileHeader;
}

export interface Archived {
  /** Of what was read; whoever compares it with the name has checked the content. */
  readonly checksum: Checksum;
  readonly size: number;
  /** Only of small ones. */
  readonly bytes: Buffer | undefined;
}

/** Read it once. @param keep results up to so many bytes are kept */
export async function archive(content: OpenContent, keep: number, signal: AbortSignal): Promise<Archived> {
  const hash = createHash('sha256').update(encodeFileHeader(content.header));
  const kept: Buffer[] = [];
  let size = 0;
  for await (const chunk of archivedChunks(content, (piece) => void hash.update(piece))) {
    signal.throwIfAborted();
    size += chunk.length;
    if (size <= keep) kept.push(chunk);
    else kept.length = 0;
  }
  return { checksum: hash.digest('hex'), size, bytes: size <= keep ? Buffer.concat(kept) : undefined };
}

/** Of the archive form, from `start` to before `end`: what lies before is made and thrown away. */
export async function* archivedRange(content: OpenContent, start: number, end: number): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const chunk of archivedChunks(content, () => undefined)) {
    const piece = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at));
    at += chunk.length;
    if (piece.length > 0) yield piece;
    if (at >= end) return;
  }
}

async function* archivedChunks(
  { fd, size, header }: OpenContent,
  onContent: (piece: Uint8Array) => void,
): AsyncGenerator<Buffer> {
  yield Buffer.from(encodeArchiveHeader(header, size));
  if (header.target !== undefined) return; // a link has no content, not even an empty one
  const deflate = createDeflateRaw({ level: LEVEL, strategy: constants.Z_DEFAULT_STRATEGY });
  const feeding = feed(fd, size, deflate, onContent);
  feeding.catch((error) => deflate.destroy(error));
  try {
    for await (const chunk of deflate) yield chunk as Buffer;
    await feeding;
  } finally {
    deflate.destroy();
    await feeding.catch(() => undefined); // it has been seen by the reader above; here it only has to be over
  }
}

/** Exactly `size` bytes: a file that grows meanwhile is another one, and its checksum says so. */
async function feed(
  fd: number,
  size: number,
  deflate: ReturnType<typeof createDeflateRaw>,
  onContent: (piece: Uint8Array) => void,
): Promise<void> {
  for (let at = 0; at < size && !deflate.destroyed; ) {
    const length = Math.min(PIECE, size - at);
    const { buffer, bytesRead } = await readAt(fd, Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) break;
    const piece = buffer.subarray(0, bytesRead);
    onContent(piece);
    at += bytesRead;
    if (!deflate.write(piece)) await drained(deflate);
  }
  deflate.end();
}

function drained(deflate: ReturnType<typeof createDeflateRaw>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      deflate.off('drain', done);
      deflate.off('close', done);
      resolve();
    };
    deflate.on('drain', done);
    deflate.on('close', done);
  });
}
