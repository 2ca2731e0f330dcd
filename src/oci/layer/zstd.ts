/** Packing with zstd, which node:zlib has from 22.15 on. */
import type { Transform } from 'node:stream';
import { OciError } from '../error.ts';

/** What newer versions of node:zlib add. */
interface ZstdZlib {
  createZstdCompress?(options: object): Transform;
  readonly constants: { readonly ZSTD_c_compressionLevel?: number; readonly ZSTD_c_checksumFlag?: number };
}

const CHUNK = 128 * 2 ** 10;
const LEVEL = 3;

/** One frame. @throws OciError LAYER_UNSUPPORTED */
export async function* compressZstd(source: AsyncIterable<Uint8Array>, level = LEVEL): AsyncGenerator<Uint8Array> {
  const engine = await createEngine(level);
  const output: Uint8Array[] = [];
  let failure: unknown;
  engine.on('data', (chunk: Uint8Array) => output.push(chunk));
  engine.on('error', (error) => {
    failure ??= error;
  });
  try {
    for await (const chunk of source) {
      // The callback comes when the chunk is used up: then its memory is the source's again.
      await new Promise<void>((resolve) => engine.write(chunk, () => resolve()));
      if (failure !== undefined) throw failure;
      yield* output.splice(0);
    }
    await new Promise<void>((resolve, reject) => {
      engine.on('end', resolve).on('error', reject).end();
    });
    yield* output.splice(0);
  } finally {
    engine.destroy();
  }
}

async function createEngine(level: number): Promise<Transform> {
  const zlib = (await import('node:zlib')) as object as ZstdZlib; // its types are those of the oldest version
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = zlib.constants;
  if (zlib.createZstdCompress === undefined || ZSTD_c_compressionLevel === undefined) {
    throw new OciError('LAYER_UNSUPPORTED', `layers cannot be packed with zstd by Node ${process.versions.node}`, {
      hint: 'use gzip, or Node 22.15 and later',
    });
  }
  const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag ?? 0]: 1 };
  return zlib.createZstdCompress({ chunkSize: CHUNK, params });
}
