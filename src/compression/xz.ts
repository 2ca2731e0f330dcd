import { tooLarge } from './error.ts';
import { XzDecoder } from './xz-wasm.ts';

/**
 * All .xz streams of a file. Limits: dictionaries up to 64 MiB (every preset fits), LZMA2 alone (no other filters),
 * the checks none, CRC32 and CRC64.
 */
export async function* unxz(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const decoder = await XzDecoder.create();
  for await (const chunk of source) yield* decoder.decode(chunk);
  decoder.end();
}

/**
 * A whole .xz file that holds at most `limit` bytes.
 * @throws CompressionError TOO_LARGE as soon as more comes out; COMPRESSION_* as from a stream
 */
export async function decompressXz(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const decoder = await XzDecoder.create();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (const chunk of decoder.decode(bytes)) {
    size += chunk.length;
    if (size > limit) throw tooLarge('xz stream', limit);
    chunks.push(chunk);
  }
  decoder.end();
  return Buffer.concat(chunks);
}
