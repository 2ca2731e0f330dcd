/** zstd in node:zlib, which has it from 22.15 on. */
import { malformed } from './error.ts';
import { ENGINE_OPTIONS, throughEngine, type ZlibEngine } from './zlib-engine.ts';
import { explainZlib } from './zlib-error.ts';
import type { FrameBytes } from './zstd-frames.ts';

/** 128 MiB, the largest window of a frame that reaches a decoder. */
const WINDOW_LOG_MAX = 27;

/** What newer versions of node:zlib add. */
interface ZstdZlib {
  createZstdDecompress?(options: object): ZlibEngine;
  readonly constants: { readonly ZSTD_d_windowLogMax?: number };
}

async function zstdZlib(): Promise<ZstdZlib> {
  return (await import('node:zlib')) as object as ZstdZlib; // its types are those of the oldest version
}

export async function hasNativeZstd(): Promise<boolean> {
  const zlib = await zstdZlib();
  return zlib.createZstdDecompress !== undefined;
}

/**
 * One engine takes all frames: it starts a new one by itself, but only with a new write, and would drop what follows a
 * frame within one write, or miss its end, without a word. So it is given frames that are known to be whole.
 */
export async function* decodeFramesNatively(frames: AsyncIterable<FrameBytes>): AsyncGenerator<Uint8Array> {
  const zlib = await zstdZlib();
  const params = { [zlib.constants.ZSTD_d_windowLogMax ?? 0]: WINDOW_LOG_MAX };
  const engine = zlib.createZstdDecompress?.({ ...ENGINE_OPTIONS, params });
  if (engine === undefined) throw new Error('unreachable: this Node has no zstd');
  try {
    yield* throughEngine(engine, bytesOf(frames), refuseRest);
  } catch (error) {
    throw explainZlib('zstd stream', error);
  }
}

async function* bytesOf(frames: AsyncIterable<FrameBytes>): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of frames) yield bytes;
}

function refuseRest(): never {
  throw malformed('zstd stream', 'the end of a frame', 'more of it');
}
