/** Images of a sysroot's repository that no deployment comes from. */

import {
  HEAD,
  type PruneResult,
  prune,
  type Repository,
  removeRef,
  type TransactionOptions,
} from '../../../ostree/index.ts';
import { lockAlone, type PrunedLayers, pruneLayers } from '../manage/prune-layers.ts';
import { imageOfRef, imageRef, readStoreRefs } from '../records/index.ts';
import { listDeployments } from './deployments.ts';
import { imageOfOrigin } from './origin.ts';

export interface PruneImagesOptions extends TransactionOptions {
  readonly sysroot: string;
  /** `layers`: also layers that no image needs then; `full`: also the objects. */
  readonly also: 'nothing' | 'layers' | 'full';
}

export interface PrunedImages {
  /** Names of the images that went, or would go. */
  readonly removed: readonly string[];
  readonly kept: number;
  readonly layers: PrunedLayers | undefined;
  readonly objects: PruneResult | undefined;
}

/** @throws OstreeReferenceError for an origin that cannot be read: what it names might be the image to be removed */
export async function pruneImages(repository: Repository, options: PruneImagesOptions): Promise<PrunedImages> {
  const { sysroot, also } = options;
  const dryRun = options.dryRun === true;
  const held = await lockAlone(repository, options);
  try {
    const deployed = new Set(
      listDeployments(sysroot).flatMap(({ image }) => (image === undefined ? [] : [imageRef(imageOfOrigin(image))])),
    );
    const { images } = readStoreRefs(repository);
    const unused = images.filter(({ ref }) => !deployed.has(ref));
    if (!dryRun) for (const { ref } of unused) removeRef(repository, HEAD, ref);
    const layers = also === 'nothing' || dryRun ? undefined : await pruneLayers(repository, options);
    const objects =
      also !== 'full' || dryRun ? undefined : await prune(repository, { ...options, refsOnly: true, depth: 0 });
    return { removed: unused.map(({ ref }) => imageOfRef(ref)), kept: images.length - unused.length, layers, objects };
  } finally {
    held?.release();
  }
}
