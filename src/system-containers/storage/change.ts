/** Names of images, taken away and given. */
import { codeOf } from '../../base/error.ts';
import { type Digest, splitDigest } from '../../oci/index.ts';
import {
  afterRefsChanged,
  HEAD,
  objectsOf,
  type Repository,
  removeRef,
  type TransactionOptions,
  withTransaction,
} from '../../ostree/index.ts';
import { ContainerError } from '../error.ts';
import { type ImageBranch, imageBranch } from './branch.ts';
import { fullName } from './image-names.ts';
import { findBranch, imageNotStored, imageOf, readableImages, readImage } from './images.ts';
import type { DeployedImages, InUse } from './in-use.ts';
import { lockAlone } from './lock-alone.ts';
import type { StoredImage } from './stored-image.ts';

export interface DeletedImage {
  readonly name: string;
  readonly branch: string;
  /** Undefined for one that nobody could read. */
  readonly digest: Digest | undefined;
}

/**
 * The name alone: layers stay until they are pruned.
 * @throws ContainerError IMAGE_NOT_STORED; IMAGE_IN_USE for the last name of an image that a deployment comes from,
 *   unless `force`
 */
export async function deleteImage(
  repository: Repository,
  text: string,
  options: TransactionOptions & { readonly inUse: DeployedImages; readonly force: boolean },
): Promise<DeletedImage> {
  const held = await lockAlone(repository, options);
  try {
    const branch = findBranch(repository, text);
    if (branch === undefined) throw imageNotStored(text);
    const image = readIfSound(repository, branch);
    if (image !== undefined && !options.force) assertUnused(repository, image, options.inUse());
    if (options.dryRun !== true) {
      removeRef(repository, HEAD, branch.branch);
      await afterRefsChanged(repository, options);
    }
    return { name: branch.name, branch: branch.branch, digest: image?.digest };
  } finally {
    held?.release();
  }
}

/**
 * A second name for the same commit.
 * @returns it, in full
 * @throws ContainerError IMAGE_NOT_STORED, BAD_STORED_IMAGE; OciError BAD_REFERENCE
 */
export async function tagImage(
  repository: Repository,
  source: string,
  destination: string,
  options: TransactionOptions,
): Promise<string> {
  const name = fullName(destination.replace(/^docker:\/\//, ''));
  await withTransaction(repository, options, async (transaction) => {
    const { commit } = imageOf(repository, source);
    transaction.setRef({ place: HEAD, ref: imageBranch(name), commit });
  });
  if (options.dryRun !== true) await afterRefsChanged(repository, options);
  return name;
}

function readIfSound(repository: Repository, branch: ImageBranch): StoredImage | undefined {
  try {
    return readImage(objectsOf(repository), branch);
  } catch (error) {
    if (codeOf(error) !== 'BAD_STORED_IMAGE') throw error;
    return undefined; // to delete it is what one does with a broken image
  }
}

function assertUnused(repository: Repository, image: StoredImage, inUse: readonly InUse[]): void {
  const { hex } = splitDigest(image.digest);
  const users = inUse.filter(({ revision, imageCommit }) => revision === hex || imageCommit === image.commit);
  const hasOtherName = readableImages(repository).some(({ name, digest }) => {
    return digest === image.digest && name !== image.name;
  });
  if (users.length === 0 || hasOtherName) return;
  const names = [...new Set(users.map(({ container }) => container))].join(', ');
  throw new ContainerError('IMAGE_IN_USE', `image ${image.name}: in use by ${names}`, {
    hint: 'uninstall it first; --force deletes the name all the same',
    subject: image.name,
  });
}
