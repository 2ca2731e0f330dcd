/** The layers of an image into a repository, each in one pass from wherever it comes, and their merged tree. */
import type { Descriptor } from '../oci/index.ts';
import { FileQueue, type Root, type Transaction } from '../ostree/index.ts';
import { type MergeOptions, Merging } from './apply/merge-layers.ts';
import { importLayerBy } from './import/import-layer.ts';
import type { ImportedLayer, ImportOptions } from './import/options.ts';
import type { StoredLayer } from './layer-tree.ts';

export interface ImageLayer {
  readonly descriptor: Descriptor;
  /** The layer as an earlier run stored it: it is not opened. */
  readonly present?: StoredLayer | undefined;
  /** Uncompressed; verified by whoever made it, which fails the whole when it is not what the descriptor says. */
  open(): AsyncIterable<Uint8Array>;
}

/** A layer whose tree is written. */
export interface WrittenLayer extends Omit<ImportedLayer, 'tree'> {
  readonly root: Root;
}

export interface ImportImageOptions extends Omit<ImportOptions, 'lower'>, Omit<MergeOptions, 'paths'> {
  /** A layer is read and written: the moment for its commit and ref. */
  readonly onLayer?: ((layer: ImageLayer, written: WrittenLayer) => void) | undefined;
}

export interface ImportedImage {
  readonly root: Root;
  /** In their order; undefined for those that were present. */
  readonly layers: readonly (WrittenLayer | undefined)[];
}

/**
 * One layer after the other, since each may link to files of those below; a layer's stream is opened when the one
 * before is stored. Memory does not grow with contents.
 * @throws what `importLayer`, `mergeLayers` and the streams throw
 */
export async function importImageLayers(
  transaction: Transaction,
  layers: readonly ImageLayer[],
  options: ImportImageOptions,
): Promise<ImportedImage> {
  const queue = new FileQueue(transaction, options);
  try {
    return await importWith(queue, transaction, layers, options);
  } finally {
    await queue.close();
  }
}

async function importWith(
  queue: FileQueue,
  transaction: Transaction,
  layers: readonly ImageLayer[],
  options: ImportImageOptions,
): Promise<ImportedImage> {
  const merging = new Merging(transaction, options);
  const written: (WrittenLayer | undefined)[] = [];
  for (const layer of layers) {
    const made =
      layer.present === undefined
        ? await imported(queue, transaction, layer, { ...options, lower: merging.tree })
        : undefined;
    written.push(made);
    const stored = layer.present ?? made;
    if (stored !== undefined) merging.add(stored);
  }
  return { root: merging.finish(), layers: written };
}

async function imported(
  queue: FileQueue,
  transaction: Transaction,
  layer: ImageLayer,
  options: ImportImageOptions & ImportOptions,
): Promise<WrittenLayer> {
  const { tree, ...rest } = await importLayerBy(queue, transaction, layer.open(), options);
  const written = { ...rest, root: tree.write(transaction.writer) };
  options.onLayer?.(layer, written);
  return written;
}
