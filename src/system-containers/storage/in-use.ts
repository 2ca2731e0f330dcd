/** Images that deployments come from, also when their names have moved on to newer ones. */
import { splitDigest } from '../../oci/index.ts';
import { type Checksum, commitObjects, isChecksum, objectsOf, type Repository } from '../../ostree/index.ts';
import { readBranches } from './branch.ts';
import { readImage } from './images.ts';
import { digestOfKey, KEYS } from './metadata.ts';
import type { StoredImage } from './stored-image.ts';

/** What a deployment needs: an image, and how `info` knows it. */
export interface InUse {
  readonly container: string;
  /** Digest of the image, hex alone. */
  readonly revision: string;
  /** Commit of its branch; `0` or nothing at all where other programs have written it. */
  readonly imageCommit: string;
}

/** Asked while nobody can deploy anything. */
export type DeployedImages = () => readonly InUse[];

/** Those that are still there; each once. @throws ContainerError BAD_STORED_IMAGE */
export function imagesInUse(repository: Repository, inUse: readonly InUse[]): readonly StoredImage[] {
  const search = new ImageSearch(repository);
  const found = inUse.flatMap((each) => search.find(each) ?? []);
  return [...new Map(found.map((image) => [image.commit, image])).values()];
}

/**
 * The image of a deployment; undefined when its commit is gone. Its name is one that it has today, or its digest.
 * @throws ContainerError BAD_STORED_IMAGE
 */
export function imageOfDeployment(
  repository: Repository,
  info: Pick<InUse, 'revision' | 'imageCommit'>,
): StoredImage | undefined {
  return new ImageSearch(repository).find(info);
}

class ImageSearch {
  readonly #repository: Repository;
  readonly #names: ReadonlyMap<Checksum, { readonly name: string; readonly branch: string }>;
  readonly #held: readonly Checksum[];
  #byDigest: ReadonlyMap<string, Checksum> | undefined;

  constructor(repository: Repository) {
    this.#repository = repository;
    const { images, holders } = readBranches(repository);
    this.#names = new Map(images.map(({ commit, name, branch }) => [commit, { name, branch }]));
    this.#held = holders.map(({ commit }) => commit);
  }

  find({ revision, imageCommit }: Pick<InUse, 'revision' | 'imageCommit'>): StoredImage | undefined {
    const reader = objectsOf(this.#repository);
    const isKnown = isChecksum(imageCommit) && reader.has(imageCommit, 'commit');
    const commit = isKnown ? imageCommit : this.#commitOf(revision);
    if (commit === undefined) return undefined;
    const named = this.#names.get(commit) ?? { name: `sha256:${revision}`, branch: '' };
    return readImage(reader, { ...named, commit });
  }

  /** The earlier programs wrote no commit down: among those with names first, then among all that there are. */
  #commitOf(revision: string): Checksum | undefined {
    if (revision === '') return undefined;
    this.#byDigest ??= this.#readDigests();
    return this.#byDigest.get(revision);
  }

  #readDigests(): ReadonlyMap<string, Checksum> {
    const reader = objectsOf(this.#repository);
    const found = new Map<string, Checksum>();
    for (const commit of [...this.#names.keys(), ...this.#held, ...commitObjects(this.#repository)]) {
      if (!reader.has(commit, 'commit')) continue; // a ref that leads nowhere
      const digest = digestOfKey(reader.commit(commit).metadata, KEYS.digest);
      const hex = digest && splitDigest(digest).hex;
      if (hex !== undefined && !found.has(hex)) found.set(hex, commit);
    }
    return found;
  }
}
