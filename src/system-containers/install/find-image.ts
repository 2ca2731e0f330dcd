/** Which image is meant: a stored one, or, when there is none, one that is pulled now. */
import { codeOf } from '../../base/error.ts';
import { parseImageName } from '../../images/index.ts';
import type { Repository } from '../../ostree/index.ts';
import { chooseTag, NO_MARKS } from '../../version/index.ts';
import type { TagVersion } from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import { findImage, nameFor, readableImages, type StoredImage } from '../storage/index.ts';
import type { Verification } from '../verification.ts';

/** Bring an image into the repository; the policy and the network are the caller's business. */
export type PullPort = (request: PortRequest) => Promise<StoredImage>;

export interface PortRequest extends WantedImage {
  /** What it is called here; undefined: by its reference. */
  readonly name?: string | undefined;
  /** How the image that is installed was verified: less is refused. */
  readonly floor: Verification | undefined;
}

export interface WantedImage {
  /** As the user wrote it. */
  readonly reference: string;
  readonly tagVersion: TagVersion | undefined;
}

/** @throws ContainerError IMAGE_NOT_STORED, BAD_STORED_IMAGE; CodedError PATTERN_MALFORMED */
export function storedImage(repository: Repository, wanted: WantedImage): StoredImage {
  const found = findWanted(repository, wanted);
  if (found !== undefined) return found;
  throw new ContainerError('IMAGE_NOT_STORED', `cannot find the image ${wanted.reference} in the store`, {
    hint: `"pull ${wanted.reference}" brings it; "images list" shows what is there`,
    subject: wanted.reference,
  });
}

/** Of several tags within the bound the newest one. */
export function findWanted(repository: Repository, { reference, tagVersion }: WantedImage): StoredImage | undefined {
  if (tagVersion === undefined) return findImage(repository, reference);
  const prefix = repositoryPrefix(reference);
  if (prefix === undefined) return undefined;
  const images = readableImages(repository).filter(({ name }) => name.startsWith(prefix) && !name.includes('@'));
  const byTag = new Map(images.map((image) => [image.name.slice(prefix.length), image]));
  try {
    return byTag.get(chooseTag([...byTag.keys()], tagVersion, NO_MARKS));
  } catch (error) {
    if (codeOf(error) === 'NO_MATCHING_TAG') return undefined;
    throw error;
  }
}

/** `docker.io/library/app:` of `app`; undefined for what has no tags. */
function repositoryPrefix(reference: string): string | undefined {
  const name = nameFor(parseImageName(reference));
  return name === undefined || name.includes('@') ? undefined : name.slice(0, name.lastIndexOf(':') + 1);
}
