/** A tar as a layer: packed, measured and named in one pass. */
import { createHash } from 'node:crypto';
import { compressGzip } from '../../compression/index.ts';
import type { Digest } from '../digest.ts';
import type { LayerPacking } from '../media-types.ts';
import { inBlocks } from './blocks.ts';
import { compressZstd } from './zstd.ts';

export interface PackedLayer {
  /** Of the blob as it is stored. */
  readonly digest: Digest;
  readonly size: number;
  /** Of the uncompressed tar. */
  readonly diffId: Digest;
  readonly uncompressedSize: number;
}

export interface PackLayerOptions {
  /** zlib's 1 to 9, default 6; zstd's own, default 3. */
  readonly level?: number | undefined;
}

/**
 * Equal tars give equal blobs, by one version of Node. The sink is waited for; a chunk is its own until it returns.
 * @throws OciError LAYER_UNSUPPORTED for zstd where Node has none; what the tar and the sink throw
 */
export async function packLayer(
  tar: AsyncIterable<Uint8Array>,
  packing: LayerPacking,
  sink: (chunk: Uint8Array) => void | Promise<void>,
  { level }: PackLayerOptions = {},
): Promise<PackedLayer> {
  const content = new Measured(inBlocks(tar));
  if (packing === 'none') {
    for await (const chunk of content) await sink(chunk);
    const { digest, size } = content.finish();
    return { digest, size, diffId: digest, uncompressedSize: size };
  }
  const blob = new Measured(packing === 'gzip' ? compressGzip(content, level) : compressZstd(content, level));
  for await (const chunk of blob) await sink(chunk);
  const [outside, inside] = [blob.finish(), content.finish()];
  return { digest: outside.digest, size: outside.size, diffId: inside.digest, uncompressedSize: inside.size };
}

/** A stream that is hashed as it passes. */
class Measured implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterable<Uint8Array>;
  readonly #hash = createHash('sha256');
  #size = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#source) {
      this.#hash.update(chunk);
      this.#size += chunk.length;
      yield chunk;
    }
  }

  finish(): { readonly digest: Digest; readonly size: number } {
    return { digest: `sha256:${this.#hash.digest('hex')}`, size: this.#size };
  }
}
