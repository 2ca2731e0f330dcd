import { type CompressionFormat, DETECTION_BYTES, detectCompression } from './detect.ts';
import { tooLarge } from './error.ts';
import { gunzip } from './gzip.ts';
import { abortable, peek } from './source.ts';
import { unxz } from './xz.ts';
import { unzstd } from './zstd.ts';

export type { CompressionFormat } from './detect.ts';

export interface DecompressOptions {
  /** `detect` looks at the first bytes; what has no known magic number passes through as it is. */
  readonly format: CompressionFormat | 'detect';
  /** Bytes of output; `TOO_LARGE` as soon as more has come out. */
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/**
 * Compressed bytes in, content out. Several gzip members, zstd frames (skippable ones too) or xz streams may follow
 * each other. The source is always read to its end; leaving early closes it. Memory: zstd windows up to 128 MiB, xz
 * dictionaries up to 64 MiB, and one chunk; the consumer sets the pace.
 * @throws CompressionError TOO_LARGE, COMPRESSION_MALFORMED, COMPRESSION_TRUNCATED, COMPRESSION_MEMORY,
 *   COMPRESSION_UNSUPPORTED; what the source throws; what the signal was aborted with
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  options: DecompressOptions,
): AsyncGenerator<Uint8Array> {
  const { limit, signal } = options;
  const input = signal === undefined ? source : abortable(source, signal);
  const { format, bytes } =
    options.format === 'detect' ? await detected(input) : { format: options.format, bytes: input };
  let size = 0;
  for await (const chunk of DECODERS[format](bytes)) {
    signal?.throwIfAborted();
    size += chunk.length;
    if (size > limit) throw tooLarge(format === 'none' ? 'stream' : `${format} stream`, limit);
    if (chunk.length > 0) yield chunk;
  }
}

type Decoder = (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

const DECODERS: Readonly<Record<CompressionFormat, Decoder>> = {
  none: (source) => source,
  gzip: gunzip,
  zstd: unzstd,
  xz: unxz,
};

async function detected(source: AsyncIterable<Uint8Array>) {
  const { start, bytes } = await peek(source, DETECTION_BYTES);
  return { format: detectCompression(start), bytes };
}
