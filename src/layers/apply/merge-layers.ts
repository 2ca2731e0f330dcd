/** All layers of an image to one tree, on metadata alone. */
import { MutableTree, type Root, type Transaction } from '../../ostree/index.ts';
import type { StoredLayer } from '../layer-tree.ts';
import { type PathRule, SAME_PATHS } from '../path-rule.ts';
import { applyLayer } from './apply-layer.ts';
import { removeBuildLeftovers } from './build-leftovers.ts';

export interface MergeOptions {
  /** What the layers are laid over: the commit in an image of format v1. Default: nothing. */
  readonly base?: Root | undefined;
  /** By which the layers were imported. Default: everything stays where it is. */
  readonly paths?: PathRule | undefined;
  /** Take away the empty files that build tools leave in `usr/etc`. Default: false. */
  readonly removeLeftovers?: boolean | undefined;
}

/**
 * @param layers the lowest first
 * @returns the root of the merged tree, whose objects are written
 * @throws OstreeError PATH_MISSING when there is neither a base nor a layer; what `applyLayer` throws
 */
export function mergeLayers(transaction: Transaction, layers: readonly StoredLayer[], options: MergeOptions): Root {
  const merging = new Merging(transaction, options);
  for (const layer of layers) merging.add(layer);
  return merging.finish();
}

/** The same step by step, for layers that link to files of those below. */
export class Merging {
  readonly #transaction: Transaction;
  readonly #options: MergeOptions;
  /** Everything added so far. */
  readonly tree: MutableTree;

  constructor(transaction: Transaction, options: MergeOptions) {
    this.#transaction = transaction;
    this.#options = options;
    this.tree = this.#base() ?? MutableTree.empty();
  }

  add({ root, implied, hasWhiteouts = true }: StoredLayer): void {
    const { reader } = this.#transaction.writer;
    const tree = MutableTree.of(reader, root);
    applyLayer(this.tree, { tree, implied, hasWhiteouts }, { reader, paths: this.#options.paths ?? SAME_PATHS });
  }

  finish(): Root {
    const { writer } = this.#transaction;
    if (this.#options.removeLeftovers === true) removeBuildLeftovers(this.tree, writer.reader, this.#base());
    return this.tree.write(writer);
  }

  #base(): MutableTree | undefined {
    const { base } = this.#options;
    return base && MutableTree.of(this.#transaction.writer.reader, base);
  }
}
