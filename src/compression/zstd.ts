import { type FrameBytes, ZstdFrames } from './zstd-frames.ts';
import { decodeFramesNatively, hasNativeZstd } from './zstd-native.ts';
import { decodeFramesInWasm } from './zstd-wasm.ts';

export type ZstdDecoder = 'native' | 'wasm';

/** All frames of a zstd stream, by the decoder of Node where it has one. */
export async function* unzstd(source: AsyncIterable<Uint8Array>, decoder?: ZstdDecoder): AsyncGenerator<Uint8Array> {
  const chosen = decoder ?? ((await hasNativeZstd()) ? 'native' : 'wasm');
  yield* (chosen === 'native' ? decodeFramesNatively : decodeFramesInWasm)(framesOf(source));
}

async function* framesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<FrameBytes> {
  const frames = new ZstdFrames();
  for await (const chunk of source) yield* frames.split(chunk);
  frames.end();
}
