import { crc32 } from 'node:zlib';
import { deflateStream } from './deflate-stream.ts';
import { malformed, truncated } from './error.ts';
import { ENGINE_OPTIONS, throughEngine } from './zlib-engine.ts';
import { explainZlib } from './zlib-error.ts';

/** Deflate, no name, no time, no hint about effort, the system "unknown" (RFC 1952). */
const HEADER = Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/**
 * All members of a gzip stream. Zero bytes after the last one are padding, as for gzip(1); anything else there is
 * malformed.
 */
export async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { createGunzip } = await import('node:zlib');
  const engine = createGunzip(ENGINE_OPTIONS);
  try {
    yield* throughEngine(engine, source, assertPadding);
  } catch (error) {
    throw explainZlib('gzip stream', error);
  }
  if (engine.bytesWritten === 0) throw truncated('gzip stream');
}

function assertPadding(bytes: Uint8Array): void {
  const found = bytes.find((byte) => byte !== 0);
  if (found !== undefined) throw malformed('gzip stream', 'nothing after its last member', `the byte ${found}`);
}

/**
 * One gzip member, packed by several threads. The same bytes give the same output everywhere: no name, no time,
 * "unknown" as the system.
 */
export async function* compressGzip(source: AsyncIterable<Uint8Array>, level = 6): AsyncGenerator<Uint8Array> {
  let checksum = 0;
  let size = 0;
  const packed = deflateStream(source, level, (bytes) => {
    checksum = crc32(bytes, checksum);
    size += bytes.length;
  });
  let isFirst = true;
  for await (const chunk of packed) {
    if (isFirst) yield HEADER.slice(); // not sooner: whoever leaves then has to close the source
    isFirst = false;
    yield chunk;
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield trailer;
}
