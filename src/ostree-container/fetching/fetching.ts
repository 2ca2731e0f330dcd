/** Layers on their way in: counted, and verified when they were read to their end. */
import { codeOf } from '../../base/error.ts';
import type { Progress } from '../../base/progress.ts';
import { plural } from '../../base/text.ts';
import type { ImageSource } from '../../images/index.ts';
import { openLayer } from '../../oci/index.ts';
import type { Layer } from '../labels/index.ts';

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

export interface FetchingOptions {
  readonly source: ImageSource;
  /** For progress. */
  readonly task: string;
  readonly onProgress: Progress;
}

/** All layers that have to be fetched, as one task whose size is known before the first byte. */
export class Fetching {
  /** So many were fetched, and so many bytes of them as they are stored in the registry. */
  layers = 0;
  bytes = 0;
  readonly #options: FetchingOptions;
  #done = 0;
  #isTold = false;

  constructor(options: FetchingOptions) {
    this.#options = options;
  }

  begin(missing: readonly { readonly size: number }[], all: number): void {
    const { task, onProgress } = this.#options;
    const total = missing.reduce((sum, { size }) => sum + size, 0);
    this.#isTold = true;
    onProgress({ kind: 'start', task, label: `${missing.length} of ${plural(all, 'layer')}`, total, done: this.#done });
  }

  end(ok: boolean): void {
    if (this.#isTold) this.#options.onProgress({ kind: 'end', task: this.#options.task, ok });
  }

  /** It turns out that nothing of it is needed. */
  skip({ descriptor }: Layer): void {
    this.#advance(descriptor.size);
  }

  /** The caller closes it. */
  open({ descriptor, diffId }: Layer, signal: AbortSignal): OpenLayer {
    this.layers++;
    const blob = this.#counted(this.#options.source.readBlob(descriptor, 0, signal));
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
  async read<T>(layer: Layer, signal: AbortSignal, work: (tar: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
    const opened = this.open(layer, signal);
    try {
      return await opened.during(() => work(opened.tar));
    } finally {
      await opened.close();
    }
  }

  async *#counted(blob: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of blob) {
      this.bytes += chunk.length;
      this.#advance(chunk.length);
      yield chunk;
    }
  }

  #advance(bytes: number): void {
    this.#done += bytes;
    if (this.#isTold) this.#options.onProgress({ kind: 'advance', task: this.#options.task, done: this.#done });
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
