/** A layer as its tar, checked while it streams. */
import { codeOf } from '../../base/error.ts';
import { quote } from '../../base/text.ts';
import { CompressionError, decompress } from '../../compression/index.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, DigestCheck } from '../digest.ts';
import { OciError } from '../error.ts';
import { packingOf } from '../media-types.ts';

export interface OpenLayerOptions {
  /** Digest of the uncompressed bytes, from the config; checked at the end. */
  readonly diffId?: Digest | undefined;
  /** Uncompressed bytes; TOO_LARGE beyond. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

/**
 * The tar of a layer. Digest and size of the blob, and the diff id, hold when the generator has ended by itself: who
 * leaves early has verified nothing. The blob is read to its end, whatever lies there. What it is packed with is told
 * by its first bytes, as podman does: there are registries full of "gzip" layers that are none. A chunk is valid until
 * the next one is asked for.
 * @throws OciError LAYER_UNSUPPORTED for what is no layer of files, INVALID_DIGEST, INVALID_SIZE;
 *   CompressionError TOO_LARGE, COMPRESSION_MALFORMED ...; what the blob throws, what the signal was aborted with
 */
export async function* openLayer(
  descriptor: Descriptor,
  blob: AsyncIterable<Uint8Array>,
  { diffId, limit, signal }: OpenLayerOptions,
): AsyncGenerator<Uint8Array> {
  const { mediaType, digest } = descriptor;
  if (packingOf(mediaType) === undefined) {
    const message = `layer ${digest}: media type ${quote(mediaType, 120)} is no layer of files`;
    throw new OciError('LAYER_UNSUPPORTED', message, { subject: digest });
  }
  const input = new CheckedBlob(descriptor, blob);
  const contents =
    diffId === undefined ? undefined : new DigestCheck(`layer ${digest} uncompressed`, diffId, undefined);
  try {
    for await (const chunk of decompress(input, { format: 'detect', limit, signal })) {
      contents?.update(chunk);
      yield chunk;
    }
    await input.finish();
    contents?.finish();
  } catch (error) {
    // A blob that does not unpack is most likely not the blob that was asked for: that is the better news.
    if (error instanceof CompressionError && codeOf(error) !== 'TOO_LARGE') await input.finish();
    throw error;
  } finally {
    await input.close();
  }
}

/** A blob that stays open when its reader leaves, so that the rest can still be read and checked. */
class CheckedBlob implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #check: DigestCheck;
  #isOpen = true;

  constructor({ digest, size }: Descriptor, source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
    this.#check = new DigestCheck(`layer ${digest}`, digest, size);
  }

  /** Without a `return`. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  /** To the end, which a wrong size brings about at last. @throws OciError INVALID_DIGEST, INVALID_SIZE */
  async finish(): Promise<void> {
    while ((await this.#next()).done !== true);
    this.#check.finish();
  }

  async close(): Promise<void> {
    if (this.#isOpen) await this.#source.return?.();
    this.#isOpen = false;
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#isOpen) return { done: true, value: undefined };
    this.#isOpen = false; // a source that throws has closed itself
    const step = await this.#source.next();
    if (step.done === true) return { done: true, value: undefined };
    this.#isOpen = true;
    this.#check.update(step.value);
    return { done: false, value: step.value };
  }
}
