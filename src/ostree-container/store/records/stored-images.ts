/** Which images a repository has. */
import { formatImageName, type ImageName } from '../../../images/index.ts';
import { HEAD, objectsOf, type Repository, readRef } from '../../../ostree/index.ts';
import { StoreError } from '../error.ts';
import { readMergeCommit, type StoredImage } from './merge-commit.ts';
import { imageOfRef, imageRef, readStoreRefs } from './refs.ts';

/** Names with their transports, sorted by the refs they have. */
export function listImages(repository: Repository): string[] {
  return readStoreRefs(repository).images.map(({ ref }) => imageOfRef(ref));
}

/** @throws StoreError STORED_IMAGE_MALFORMED */
export function findImageIfStored(repository: Repository, name: ImageName): StoredImage | undefined {
  const commit = readRef(repository, HEAD, imageRef(name));
  return commit === undefined ? undefined : readMergeCommit(objectsOf(repository), commit);
}

/** @throws StoreError IMAGE_NOT_STORED, STORED_IMAGE_MALFORMED */
export function findImage(repository: Repository, name: ImageName): StoredImage {
  const found = findImageIfStored(repository, name);
  if (found === undefined) throw imageNotStored(repository, name);
  return found;
}

export function imageNotStored({ path }: Repository, name: ImageName): StoreError {
  const text = formatImageName(name);
  return new StoreError('IMAGE_NOT_STORED', `${text}: no such image in ${path}`, {
    hint: '"ostree-container container image list" shows those that there are',
    subject: text,
  });
}
