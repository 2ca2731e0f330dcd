/**
 * Layers into the repository, three at a time, each verified by its digest and its diff id. One that has hard links to
 * files of the layers below is read a second time, when those are all there.
 */
import { codeOf } from '../../base/error.ts';
import { inLanes } from '../../base/lanes.ts';
import { plural } from '../../base/text.ts';
import type { ImageSource } from '../../images/index.ts';
import {
  applyLayer,
  batchesOf,
  importLayer,
  isWrongBlob,
  readFetched,
  readKept,
  SAME_PATHS,
} from '../../layers/index.ts';
import { MutableTree, type Repository, type Transaction, withTransaction } from '../../ostree/index.ts';
import { storedLayer, writeLayerBranch } from '../storage/index.ts';
import { isLayerThere, type PreparedImage, type WantedLayer } from './prepare.ts';
import { type PullRequest, secondsOf } from './request.ts';

/** Two requests are on their way while one layer is written. */
const LANES = 3;

export interface FetchedLayers {
  readonly layers: number;
  readonly bytes: number;
  readonly skippedFiles: readonly string[];
}

/**
 * @param finish in the last of the transactions, after all layers
 * @throws OciError INVALID_DIGEST, INVALID_SIZE; LayerError; TarError; CompressionError; OstreeError; RegistryError
 */
export async function fetchLayers(
  repository: Repository,
  { source, layers, storedName }: PreparedImage,
  request: PullRequest,
  finish: (transaction: Transaction) => void,
): Promise<FetchedLayers> {
  const missing = layers.filter(({ isThere }) => !isThere);
  const run = new LayerFetch({ repository, source, request, image: storedName });
  const task = `pull ${storedName}`;
  const label = `${missing.length} of ${plural(layers.length, 'blob')}`;
  const total = missing.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  const tell = request.progress;
  run.onBytes = (done) => tell({ kind: 'advance', task, done });
  if (missing.length > 0) tell({ kind: 'start', task, label, total, done: 0 });
  let ok = false;
  try {
    await run.all(missing, finish);
    ok = true;
  } finally {
    if (missing.length > 0) tell({ kind: 'end', task, ok });
  }
  return { layers: run.layers, bytes: run.bytes, skippedFiles: run.skippedFiles };
}

interface Means {
  readonly repository: Repository;
  readonly source: ImageSource;
  readonly request: PullRequest;
  /** For messages. */
  readonly image: string;
}

class LayerFetch {
  layers = 0;
  bytes = 0;
  readonly skippedFiles: string[] = [];
  /** Hears how much there is now. */
  onBytes: (done: number) => void = () => undefined;
  #done = 0;
  /** Those with links to what is below them. */
  readonly #linked = new Set<WantedLayer>();
  readonly #means: Means;
  readonly #seconds: number;

  constructor(means: Means) {
    this.#means = means;
    this.#seconds = secondsOf(means.request);
  }

  async all(missing: readonly WantedLayer[], finish: (transaction: Transaction) => void): Promise<void> {
    const { repository, request } = this.#means;
    const batches = batchesOf(missing);
    for (const [i, batch] of batches.entries()) {
      await this.#batch(batch, (transaction) => {
        if (i === batches.length - 1 && this.#linked.size === 0) finish(transaction);
      });
    }
    const linked = missing.filter((layer) => this.#linked.has(layer));
    for (const [i, layer] of linked.entries()) {
      await this.#onTop(layer, (transaction) => {
        if (i === linked.length - 1) finish(transaction);
      });
    }
    if (missing.length === 0) await withTransaction(repository, request, async (transaction) => finish(transaction));
  }

  #batch(batch: readonly WantedLayer[], finish: (transaction: Transaction) => void): Promise<void> {
    const { repository, request } = this.#means;
    return withTransaction(repository, request, async (transaction) => {
      await inLanes(batch, LANES, request.signal, async (layer, signal) => {
        try {
          await this.#fetch(transaction, layer, undefined, signal);
        } catch (error) {
          if (codeOf(error) !== 'LAYER_LINK' || layer.below.length === 0) throw error;
          this.#linked.add(layer);
        }
      });
      finish(transaction);
    });
  }

  #onTop(layer: WantedLayer, finish: (transaction: Transaction) => void): Promise<void> {
    const { repository, request, image } = this.#means;
    return withTransaction(repository, request, async (transaction) => {
      const { reader } = transaction.writer;
      const lower = MutableTree.empty();
      for (const digest of layer.digestsBelow) {
        const { root, ...layer } = storedLayer(repository, digest, image);
        applyLayer(lower, { ...layer, tree: MutableTree.of(reader, root) }, { reader });
      }
      await this.#fetch(transaction, layer, lower, request.signal);
      finish(transaction);
    });
  }

  async #fetch(
    transaction: Transaction,
    layer: WantedLayer,
    lower: MutableTree | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { repository, source, request } = this.#means;
    const { descriptor, diffId, below } = layer;
    if (isLayerThere(repository, descriptor.digest, diffId, below)) return; // another run was faster
    const { access, threads, progress } = request;
    progress({ kind: 'note', text: `Copying blob ${descriptor.digest}` });
    const kept = readKept(repository, source, descriptor, signal);
    try {
      const blob = this.#counted(kept.chunks, kept.before);
      await readFetched({ descriptor, diffId, blob, signal }, async (tar) => {
        const options = { paths: SAME_PATHS, specials: 'skip', access, lower, threads, signal } as const;
        const { tree, ...written } = await importLayer(transaction, tar, options);
        for (const { path } of written.skipped) this.skippedFiles.push(path);
        const root = tree.write(transaction.writer);
        writeLayerBranch(transaction, { descriptor, diffId, below, written: { ...written, root } }, this.#seconds);
      });
      kept.drop();
    } catch (error) {
      if (isWrongBlob(error)) kept.drop();
      throw error;
    } finally {
      kept.keep();
    }
    this.layers++;
  }

  /** @param before bytes that an earlier run has brought */
  async *#counted(blob: AsyncIterable<Uint8Array>, before: number): AsyncGenerator<Uint8Array> {
    let at = 0;
    for await (const chunk of blob) {
      at += chunk.length;
      if (at > before) this.bytes += Math.min(chunk.length, at - before);
      this.#done += chunk.length;
      this.onBytes(this.#done);
      yield chunk;
    }
  }
}
