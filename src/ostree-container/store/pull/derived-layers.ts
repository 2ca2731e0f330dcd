/** Layers that were built on top of the commit, and the tree of all of them (spec ostree-container 2.7). */
import {
  applyLayer,
  hasTransientRoot,
  importLayer,
  ostreePaths,
  type PathRule,
  removeBuildLeftovers,
} from '../../../layers/index.ts';
import type { Digest } from '../../../oci/index.ts';
import {
  HEAD,
  MutableTree,
  type ObjectReader,
  objectsOf,
  type Repository,
  type Root,
  type Transaction,
  withTransaction,
} from '../../../ostree/index.ts';
import type { Fetching } from '../../fetching/index.ts';
import type { ImageLayers, Layer } from '../../labels/index.ts';
import {
  type Counts,
  type DerivedLayer,
  type LayerContext,
  layerCommit,
  layerRef,
  readDerivedLayer,
  writeDerivedLayer,
} from '../records/index.ts';
import type { StorePullOptions } from './options.ts';

export interface DerivedTree {
  /** What was left out of each layer, by its digest. */
  readonly filtered: ReadonlyMap<Digest, Counts>;
  readonly skipped: readonly string[];
  /** In the transaction that makes the commit of the image. */
  write(transaction: Transaction): Root;
}

/** @param base root of the commit in the image @throws TarError; LayerError; OciError; OstreeError */
export async function pullDerived(
  repository: Repository,
  layers: ImageLayers,
  base: Root | undefined,
  fetching: Fetching,
  options: StorePullOptions,
): Promise<DerivedTree> {
  const reader = objectsOf(repository);
  if (base !== undefined && layers.derived.length === 0) {
    return { filtered: new Map(), skipped: [], write: () => base };
  }
  const rule = ruleFor(base, reader, options);
  const tree = base === undefined ? MutableTree.empty() : MutableTree.of(reader, base);
  const filtered = new Map<Digest, Counts>();
  const skipped: string[] = [];
  const below = [layers.base, ...layers.components].flatMap((each) => (each === undefined ? [] : [each.diffId]));
  for (const layer of layers.derived) {
    const context = { rule: rule.text, below: [...below] };
    const stored =
      storedLayer(repository, reader, layer, context) ??
      (await fetchLayer({ repository, layer, context, paths: rule.paths, lower: tree, skipped }, fetching, options));
    applyLayer(
      tree,
      { tree: MutableTree.of(reader, stored.root), implied: stored.implied, hasWhiteouts: true },
      { reader, paths: rule.paths },
    );
    filtered.set(layer.descriptor.digest, stored.filtered);
    below.push(layer.diffId);
  }
  return {
    filtered,
    skipped,
    write({ writer }) {
      removeBuildLeftovers(tree, reader, base && MutableTree.of(reader, base));
      return tree.write(writer);
    },
  };
}

/** Which paths are taken, and a text that is another one when other paths are. */
function ruleFor(
  base: Root | undefined,
  reader: ObjectReader,
  { varTo, specials }: StorePullOptions,
): { readonly paths: PathRule; readonly text: string } {
  const keepAll = base === undefined || hasTransientRoot(MutableTree.of(reader, base), reader);
  const hasObjects = base !== undefined;
  const paths = ostreePaths({ keepAll, varTo, hasObjects });
  return { paths, text: JSON.stringify({ version: 1, keepAll, hasObjects, varTo, specials }) };
}

function storedLayer(
  repository: Repository,
  reader: ObjectReader,
  { descriptor: { digest } }: Layer,
  context: LayerContext,
): DerivedLayer | undefined {
  const commit = layerCommit(repository, digest);
  return commit === undefined ? undefined : readDerivedLayer(reader, commit, context);
}

interface Wanted {
  readonly repository: Repository;
  readonly layer: Layer;
  readonly context: LayerContext;
  readonly paths: PathRule;
  /** All layers below, for links that lead there. */
  readonly lower: MutableTree;
  readonly skipped: string[];
}

async function fetchLayer(
  { repository, layer, context, paths, lower, skipped }: Wanted,
  fetching: Fetching,
  options: StorePullOptions,
): Promise<DerivedLayer> {
  const { specials, threads, signal } = options;
  const commit = await fetching.read(layer, signal, (tar) =>
    withTransaction(repository, options, async (transaction) => {
      const imported = await importLayer(transaction, tar, { paths, specials, threads, lower, signal });
      skipped.push(...imported.skipped.map(({ path }) => path));
      const made = writeDerivedLayer(transaction, imported, context);
      transaction.setRef({ place: HEAD, ref: layerRef(layer.descriptor.digest), commit: made });
      return made;
    }),
  );
  const stored = readDerivedLayer(objectsOf(repository), commit, context);
  if (stored === undefined) throw new Error('unreachable: a layer that was just stored');
  return stored;
}
