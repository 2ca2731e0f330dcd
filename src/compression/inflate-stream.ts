import { malformed } from './error.ts';
import { ENGINE_OPTIONS, throughEngine } from './zlib-engine.ts';
import { explainZlib } from './zlib-error.ts';

/**
 * The content of a raw deflate stream that must hold exactly `size` bytes, in chunks; more is refused as soon as it
 * appears. The source is read to its end, what lies there beyond the stream is ignored (see `inflateRaw`).
 * @param onRest is shown it
 * @throws CompressionError COMPRESSION_MALFORMED, COMPRESSION_TRUNCATED
 */
export async function* inflateRawStream(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
  onRest: (bytes: Uint8Array) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  const { createInflateRaw } = await import('node:zlib');
  let found = 0;
  try {
    for await (const chunk of throughEngine(createInflateRaw(ENGINE_OPTIONS), source, onRest)) {
      found += chunk.length;
      if (found > size) throw malformed('deflate stream', `${size} bytes`, 'more');
      yield chunk;
    }
  } catch (error) {
    throw explainZlib('deflate stream', error);
  }
  if (found !== size) throw malformed('deflate stream', `${size} bytes`, `${found}`);
}
