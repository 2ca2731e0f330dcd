/** One image wherever it lies: what a copy, a pull or an inspection needs of it. */
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import type { RawManifest } from './manifest.ts';

export interface ImageReader {
  /** Exact bytes; of the image itself when no digest is given. */
  readManifest(digest: Digest | undefined, signal: AbortSignal): Promise<RawManifest>;
  /** From byte `from` on; not verified here. A chunk is valid until the next one is asked for. */
  readBlob(descriptor: Descriptor, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
  close(): void | Promise<void>;
}
