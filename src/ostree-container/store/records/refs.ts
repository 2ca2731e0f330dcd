/** The refs by which a repository knows its images and their layers (spec ostree-container 2.7). */
import { codeOf } from '../../../base/error.ts';
import { formatImageName, type ImageName } from '../../../images/index.ts';
import type { Digest } from '../../../oci/index.ts';
import { type Checksum, HEAD, listRefs, type Repository, readRef } from '../../../ostree/index.ts';
import { escapeRef, unescapeRef } from '../../reference/index.ts';

const LAYERS = 'ostree/container/blob/';
const IMAGES = 'ostree/container/image/';
/** Commits of deployments, and of images that other tools hold: of libostree, of rpm-ostree, of anybody. */
const HOLDERS = ['ostree/0/', 'ostree/1/', 'rpmostree/base/', 'ostree/container/baseimage/'];

export interface StoreRef {
  readonly ref: string;
  readonly commit: Checksum;
}

/** Images go by their name with its transport, `docker://` for registries. */
export function imageRef(name: ImageName): string {
  return `${IMAGES}${escapeRef(formatImageName(name))}`;
}

/** @param layer digest of the blob, as the manifest has it */
export function layerRef(layer: Digest): string {
  return `${LAYERS}${escapeRef(layer)}`;
}

/** The name that a ref of an image stands for; the ref itself where nobody could have made it so. */
export function imageOfRef(ref: string): string {
  try {
    return unescapeRef(ref.slice(IMAGES.length));
  } catch (error) {
    if (codeOf(error) !== 'BAD_ESCAPED_REF') throw error;
    return ref;
  }
}

export function layerCommit(repository: Repository, layer: Digest): Checksum | undefined {
  return readRef(repository, HEAD, layerRef(layer));
}

export interface StoreRefs {
  readonly layers: readonly StoreRef[];
  readonly images: readonly StoreRef[];
  readonly holders: readonly StoreRef[];
}

/** Everything that concerns the store, in the order of the refs. */
export function readStoreRefs(repository: Repository): StoreRefs {
  const heads = listRefs(repository).filter(({ place }) => place.kind === 'head');
  const below = (prefix: string) => heads.filter(({ ref }) => ref.startsWith(prefix));
  return { layers: below(LAYERS), images: below(IMAGES), holders: HOLDERS.flatMap(below) };
}
