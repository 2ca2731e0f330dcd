import { CompressionError, malformed, truncated } from './error.ts';
import { ENGINE_OPTIONS, throughEngine } from './zlib-engine.ts';
import { explainZlib } from './zlib-error.ts';

/** Where the header of a gzip member names the system that made it; 255 is "unknown" (RFC 1952). */
const OS_BYTE = 9;
const OS_UNKNOWN = 255;

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
 * One gzip member. The same bytes give the same output everywhere: no name, no time, "unknown" as the system (zlib
 * would name the one it runs on).
 */
export async function* compressGzip(source: AsyncIterable<Uint8Array>, level = 6): AsyncGenerator<Uint8Array> {
  const { createGzip } = await import('node:zlib');
  let position = 0;
  for await (const chunk of throughEngine(createGzip({ ...ENGINE_OPTIONS, level }), source, refuseRest)) {
    if (position <= OS_BYTE && position + chunk.length > OS_BYTE) chunk[OS_BYTE - position] = OS_UNKNOWN;
    position += chunk.length;
    yield chunk;
  }
}

function refuseRest(): never {
  throw new CompressionError('COMPRESSION_FAILED', 'gzip stream: the compressor ended before its input');
}
