/** All layers of an image as one tree, on metadata: what is checked out, and what is looked into before. */
import { codeOf } from '../../base/error.ts';
import { mergeLayers } from '../../layers/index.ts';
import {
  type Checksum,
  HEAD,
  isPartial,
  objectsOf,
  type Repository,
  readRef,
  type TransactionOptions,
  withTransaction,
  writeCommit,
} from '../../ostree/index.ts';
import { ContainerError } from '../error.ts';
import { holderRef, mergedRef } from './branch.ts';
import { storedLayers } from './layers.ts';
import type { StoredImage } from './stored-image.ts';
import { publish } from './write.ts';

/**
 * Made once for each image; a second call finds it by its ref. Another ref holds the commit of the image itself, so
 * that it is still known what a deployment came from when the name of the image has moved on.
 * @throws ContainerError BAD_STORED_IMAGE; OstreeError; CodedError LOCK_TIMEOUT
 */
export async function mergedCommit(
  repository: Repository,
  image: StoredImage,
  options: TransactionOptions,
): Promise<Checksum> {
  const ref = mergedRef(image.commit);
  const made = readRef(repository, HEAD, ref);
  const isThere = made !== undefined && objectsOf(repository).has(made, 'commit');
  if (isThere && !isPartial(repository, made)) return made;
  return withTransaction(repository, options, async (transaction) => {
    const layers = storedLayers(repository, image);
    if (layers.length === 0) throw broken(image, 'has no layers');
    try {
      const root = mergeLayers(transaction, layers, {});
      const commit = writeCommit(transaction.writer, root, { timestamp: image.created });
      publish(transaction, ref, commit);
      transaction.setRef({ place: HEAD, ref: holderRef(image.commit), commit: image.commit });
      return commit;
    } catch (error) {
      if (/^(?:OBJECT|LAYER)_/.test(codeOf(error) ?? '')) throw broken(image, 'cannot be put together', error);
      throw error;
    }
  });
}

function broken({ name }: StoredImage, what: string, cause?: unknown): ContainerError {
  return new ContainerError('BAD_STORED_IMAGE', `image ${name}: ${what}`, {
    cause,
    hint: 'see "images verify", or pull it again',
    subject: name,
  });
}
