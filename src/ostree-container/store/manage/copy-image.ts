/** A stored image into another repository of this machine, without a network. */
import type { Progress } from '../../../base/progress.ts';
import type { ImageName } from '../../../images/index.ts';
import {
  afterRefsChanged,
  type Checksum,
  HEAD,
  PULL_DEFAULTS,
  pullLocal,
  type Repository,
  type TransactionOptions,
  withTransaction,
} from '../../../ostree/index.ts';
import { StoreError } from '../error.ts';
import { findImage, imageRef, layerCommit, layerRef } from '../records/index.ts';

export interface CopiedImage {
  readonly commit: Checksum;
  readonly layers: number;
  /** Objects and bytes that the other repository did not have. */
  readonly objects: number;
  readonly bytes: number;
}

/**
 * The commits of all layers with their refs, the commit of the image, and last its ref. Objects are linked where both
 * repositories are alike.
 * @throws StoreError IMAGE_NOT_STORED, LAYER_NOT_STORED, STORED_IMAGE_MALFORMED; OstreeError OBJECT_MISSING ...
 */
export async function copyStoredImage(
  from: Repository,
  into: Repository,
  name: ImageName,
  options: TransactionOptions & { readonly onProgress: Progress },
): Promise<CopiedImage> {
  const { commit, image } = findImage(from, name);
  const layers = image.layers.map(({ digest }) => {
    const found = layerCommit(from, digest);
    if (found !== undefined) return { ref: layerRef(digest), commit: found };
    throw new StoreError('LAYER_NOT_STORED', `layer ${digest}: has no ref in ${from.path}`, {
      hint: 'pull the image again',
      subject: digest,
    });
  });
  const held = into.config.locking ? await into.lock.acquire('shared', options) : undefined;
  try {
    const { signal, onWait, timeoutMs } = options;
    const asked = [...layers, { ref: undefined, commit }];
    const pulled = await pullLocal(
      from,
      into,
      { ...PULL_DEFAULTS, asked, bindings: false, remote: undefined, untrusted: false },
      { signal, onWait, timeoutMs, progress: options.onProgress },
    );
    await withTransaction(into, options, async (transaction) => {
      transaction.setRef({ place: HEAD, ref: imageRef(name), commit });
    });
    await afterRefsChanged(into, options);
    return { commit, layers: layers.length, objects: pulled.metadata + pulled.content, bytes: pulled.bytes };
  } finally {
    held?.release();
  }
}
