/** Layers as they are fetched: verified, counted, and resumed where an earlier run stopped. */
import type { Progress } from '../../../base/progress.ts';
import { formatBytes, plural } from '../../../base/text.ts';
import { formatImageName, type ImageSource } from '../../../images/index.ts';
import { isWrongBlob, readKept } from '../../../layers/index.ts';
import { openLayer } from '../../../oci/index.ts';
import type { Repository } from '../../../ostree/index.ts';
import { readTar } from '../../../tar/index.ts';
import type { ImageLayerPlace } from './image-layers.ts';
import { Entries } from './layer-entries.ts';

/** Uncompressed bytes of one layer. */
const LAYER_LIMIT = 2 ** 38;
const TASK = 'pull';

export class LayerReader {
  /** Bytes that came for this pull. */
  fetched = 0;
  readonly read: ImageLayerPlace[] = [];
  readonly #repository: Repository;
  readonly #source: ImageSource;
  readonly #progress: Progress;
  readonly #signal: AbortSignal;
  #done = 0;
  #isStarted = false;

  constructor(repository: Repository, source: ImageSource, progress: Progress, signal: AbortSignal) {
    this.#repository = repository;
    this.#source = source;
    this.#progress = progress;
    this.#signal = signal;
  }

  /** Before the first byte: what may be fetched at most. */
  start(layers: readonly ImageLayerPlace[]): void {
    const total = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    const label = `${plural(layers.length, 'layer')} of ${formatImageName(this.#source.name)}`;
    this.#progress({ kind: 'start', task: TASK, label, total, done: 0 });
    this.#isStarted = true;
  }

  end(ok: boolean): void {
    if (this.#isStarted) this.#progress({ kind: 'end', task: TASK, ok });
    this.#isStarted = false;
  }

  /** What need not be fetched after all counts as done. */
  skip({ descriptor }: ImageLayerPlace): void {
    this.#advance(descriptor.size);
  }

  /** @param use reads entries; what it leaves is passed over, and the layer verified to its end */
  async open<T>(layer: ImageLayerPlace, use: (entries: Entries) => Promise<T>): Promise<T> {
    const { descriptor, diffId } = layer;
    const blob = readKept(this.#repository, this.#source, descriptor, this.#signal);
    const tar = openLayer(descriptor, this.#counted(blob.chunks, blob.before), {
      diffId,
      limit: LAYER_LIMIT,
      signal: this.#signal,
    });
    const entries = new Entries(readTar(tar));
    try {
      const result = await use(entries);
      while ((await entries.next()) !== undefined);
      this.read.push(layer);
      blob.drop();
      return result;
    } catch (error) {
      if (isWrongBlob(error)) blob.drop();
      throw error;
    } finally {
      await entries.close();
      blob.keep();
    }
  }

  note(text: string): void {
    this.#progress({ kind: 'note', text });
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>, before: number): AsyncGenerator<Uint8Array> {
    if (before > 0) this.note(`${formatBytes(before)} of a layer were there already`);
    let at = 0;
    for await (const chunk of chunks) {
      at += chunk.length;
      if (at > before) this.fetched += Math.min(chunk.length, at - before);
      this.#advance(chunk.length);
      yield chunk;
    }
  }

  #advance(bytes: number): void {
    this.#done += bytes;
    if (this.#isStarted) this.#progress({ kind: 'advance', task: TASK, done: this.#done });
  }
}
