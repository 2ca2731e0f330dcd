/** Refs of layers that nothing needs any more. Objects are another matter: `prune` of the repository deletes them. */
import type { Digest } from '../../../oci/index.ts';
import {
  afterRefsChanged,
  type Checksum,
  HEAD,
  objectsOf,
  type Repository,
  removeRef,
  type TransactionOptions,
} from '../../../ostree/index.ts';
import { layerRef, readMergeCommitIfAny, readStoreRefs, type StoreRefs } from '../records/index.ts';

export interface PruneLayersOptions extends TransactionOptions {
  /** Layers that somebody needs without a ref that says so. */
  readonly keep?: readonly Digest[] | undefined;
}

export interface PrunedLayers {
  /** Refs that went, or would go. */
  readonly dropped: readonly string[];
  readonly kept: number;
}

/**
 * Kept are the layers of all images, of deployments and of what other tools hold: commits of images, or of layers.
 * Waits until no pull is at work.
 * @throws CodedError LOCK_TIMEOUT; OstreeError OBJECT_MALFORMED
 */
export async function pruneLayers(repository: Repository, options: PruneLayersOptions): Promise<PrunedLayers> {
  const held = await lockAlone(repository, options);
  try {
    const refs = readStoreRefs(repository);
    const needed = neededLayers(repository, refs);
    for (const layer of options.keep ?? []) needed.refs.add(layerRef(layer));
    const dropped = refs.layers.filter(({ ref, commit }) => !needed.refs.has(ref) && !needed.commits.has(commit));
    if (options.dryRun !== true) for (const { ref } of dropped) removeRef(repository, HEAD, ref);
    if (dropped.length > 0 && options.dryRun !== true) await afterRefsChanged(repository, options);
    return { dropped: dropped.map(({ ref }) => ref), kept: refs.layers.length - dropped.length };
  } finally {
    held?.release();
  }
}

/** A dry run changes nothing, and is for those, too, who may not write. */
export async function lockAlone(repository: Repository, options: TransactionOptions) {
  if (!repository.config.locking || options.dryRun === true) return undefined;
  return repository.lock.acquire('exclusive', options);
}

function neededLayers(repository: Repository, { images, holders }: StoreRefs) {
  const reader = objectsOf(repository);
  const refs = new Set<string>();
  const commits = new Set<Checksum>();
  for (const { commit } of [...images, ...holders]) {
    commits.add(commit);
    if (!reader.has(commit, 'commit')) continue; // a ref that leads nowhere needs nothing
    for (const { digest } of readMergeCommitIfAny(reader, commit)?.image.layers ?? []) refs.add(layerRef(digest));
  }
  return { refs, commits };
}
