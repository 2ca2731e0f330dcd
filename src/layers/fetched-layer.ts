/** A layer on its way in: its tar for whoever imports it, and first of all the question whether it is the layer at all. */
import { codeOf } from '../base/error.ts';
import { type Descriptor, type Digest, openLayer } from '../oci/index.ts';

/** Uncompressed; more is no layer but a bomb. */
const LAYER_LIMIT = 2 ** 40;

/** Of a layer whose content is refused: more is not read to learn whether it was the wrong one. */
const MOST_DRAINED = 2 ** 32;
const ABOUT_CONTENT = /^(?:TAR|STREAM|XATTRS|OBJECT|LAYER)_/;

/** What is wrong with a layer's blob is found when it is read to its end. */
export interface OpenLayer {
  readonly tar: AsyncIterable<Uint8Array>;
  /**
   * Work on it. When that does not like what it read, the first question is whether it was the layer at all.
   * @throws OciError INVALID_DIGEST, INVALID_SIZE; what `work` throws
   */
  during<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface FetchedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** As it is stored where it comes from. */
  readonly blob: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

/** The caller closes it. */
export function openFetched({ descriptor, diffId, blob, signal }: FetchedLayer): OpenLayer {
  const tar = openLayer(descriptor, blob, { diffId, limit: LAYER_LIMIT, signal });
  return {
    tar: keptOpen(tar),
    async during(work) {
      try {
        return await work();
      } catch (error) {
        if (ABOUT_CONTENT.test(codeOf(error) ?? '')) await drain(tar);
        throw error;
      }
    },
    close: async () => void (await tar.return(undefined)),
  };
}

/** The tar of a layer, to whoever imports it. @throws as `OpenLayer.during` */
export async function readFetched<T>(
  layer: FetchedLayer,
  work: (tar: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const opened = openFetched(layer);
  try {
    return await opened.during(() => work(opened.tar));
  } finally {
    await opened.close();
  }
}

/** A reader that gives up does not close it. */
function keptOpen(tar: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => ({ next: () => tar.next() }) };
}

async function drain(tar: AsyncGenerator<Uint8Array>): Promise<void> {
  let left = MOST_DRAINED;
  for (let step = await tar.next(); step.done !== true && left > 0; step = await tar.next()) left -= step.value.length;
}
