/** Layers on their way in: counted, and verified when they were read to their end. */
import type { Progress } from '../../base/progress.ts';
import { plural } from '../../base/text.ts';
import type { ImageSource } from '../../images/index.ts';
import { type FetchedLayer, type OpenLayer, openFetched, readFetched } from '../../layers/index.ts';
import type { Layer } from '../labels/index.ts';

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
  open(layer: Layer, signal: AbortSignal): OpenLayer {
    return openFetched(this.#fetched(layer, signal));
  }

  /** The tar of a layer, to whoever imports it. @throws as `OpenLayer.during` */
  read<T>(layer: Layer, signal: AbortSignal, work: (tar: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
    return readFetched(this.#fetched(layer, signal), work);
  }

  #fetched({ descriptor, diffId }: Layer, signal: AbortSignal): FetchedLayer {
    this.layers++;
    const blob = this.#counted(this.#options.source.readBlob(descriptor, 0, signal));
    return { descriptor, diffId, blob, signal };
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
