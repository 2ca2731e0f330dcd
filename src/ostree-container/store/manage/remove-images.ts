/** Images out of the store: their refs. */
import type { ImageName } from '../../../images/index.ts';
import {
  afterRefsChanged,
  HEAD,
  type Repository,
  readRef,
  removeRef,
  type TransactionOptions,
} from '../../../ostree/index.ts';
import { imageRef } from '../records/index.ts';
import { lockAlone, type PrunedLayers, pruneLayers } from './prune-layers.ts';

export interface RemovedImages {
  readonly removed: readonly ImageName[];
  readonly missing: readonly ImageName[];
  /** Undefined when that was not wanted. */
  readonly layers: PrunedLayers | undefined;
}

/** One that is not there does not keep the others. @throws CodedError LOCK_TIMEOUT */
export async function removeImages(
  repository: Repository,
  names: readonly ImageName[],
  options: TransactionOptions & { readonly skipGc: boolean },
): Promise<RemovedImages> {
  const held = await lockAlone(repository, options);
  try {
    const isThere = (name: ImageName): boolean => readRef(repository, HEAD, imageRef(name)) !== undefined;
    const removed = names.filter(isThere);
    const missing = names.filter((name) => !isThere(name));
    if (options.dryRun !== true) for (const name of removed) removeRef(repository, HEAD, imageRef(name));
    if (removed.length > 0 && options.dryRun !== true) await afterRefsChanged(repository, options);
    const layers = options.skipGc || options.dryRun === true ? undefined : await pruneLayers(repository, options);
    return { removed, missing, layers };
  } finally {
    held?.release();
  }
}
