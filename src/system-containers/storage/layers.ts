/** Layers and configurations of images by their branches. */
import { impliedOf, type LayerTree, type StoredLayer } from '../../layers/index.ts';
import { type Digest, type ImageConfig, MANIFEST_LIMIT, parseConfig } from '../../oci/index.ts';
import { findEntry, isPartial, objectsOf, type Repository } from '../../ostree/index.ts';
import { ContainerError } from '../error.ts';
import { blobCommit, readBranches } from './branch.ts';
import { countOf, digestOfKey, KEYS, textOf } from './metadata.ts';
import type { LayerFacts, StoredImage } from './stored-image.ts';

/**
 * Undefined when it is not here, when its commit lacks one of the three facts, for then nobody knows that it is whole,
 * and when a check has found that objects of it are lost.
 */
export function layerFacts(repository: Repository, digest: Digest): LayerFacts | undefined {
  const commit = blobCommit(repository, digest);
  const reader = objectsOf(repository);
  if (commit === undefined || !reader.has(commit, 'commit') || isPartial(repository, commit)) return undefined;
  const { metadata } = reader.commit(commit);
  const size = countOf(metadata, KEYS.size);
  const uncompressedSize = countOf(metadata, KEYS.uncompressedSize);
  const diffId = digestOfKey(metadata, KEYS.uncompressedDigest);
  if (size === undefined || uncompressedSize === undefined || diffId === undefined) return undefined;
  return { size, uncompressedSize, diffId, commit };
}

export interface StoredBlob {
  readonly kind: 'layer' | 'configuration';
  /** Of its digest. */
  readonly hex: string;
  /** Bytes, unpacked. */
  readonly size: number;
}

/** All of them, whether or not an image needs them. */
export function listBlobs(repository: Repository): readonly StoredBlob[] {
  const reader = objectsOf(repository);
  return readBranches(repository).blobs.map(({ hex, commit }) => {
    const metadata = reader.has(commit, 'commit') ? reader.commit(commit).metadata : [];
    const unpacked = countOf(metadata, KEYS.uncompressedSize);
    const isConfig = unpacked === undefined && textOf(metadata, KEYS.uncompressedDigest) === undefined;
    const size = unpacked ?? countOf(metadata, KEYS.size) ?? 0;
    return { kind: isConfig ? 'configuration' : 'layer', hex, size };
  });
}

/** What its tree depends on beside its own bytes, as text; undefined: on nothing. */
export function layersBelow(repository: Repository, { commit }: LayerFacts): string | undefined {
  return textOf(objectsOf(repository).commit(commit).metadata, KEYS.below);
}

/**
 * All of an image, the lowest first, to be merged.
 * @throws ContainerError BAD_STORED_IMAGE when one is not here, or was pulled since for an image with another base
 */
export function storedLayers(repository: Repository, { layers, name }: StoredImage): readonly StoredLayer[] {
  const below: string[] = [];
  return layers.map((digest) => {
    const layer = storedLayer(repository, digest, name);
    const facts = layerFacts(repository, digest);
    const made = facts && layersBelow(repository, facts);
    if (made !== undefined && made !== below.join(' ')) {
      const text = `image ${name}: hard links of its layer ${digest} lead to files of another image`;
      throw new ContainerError('BAD_STORED_IMAGE', text, { hint: 'pull the image again', subject: name });
    }
    below.push(facts?.diffId ?? '');
    return layer;
  });
}

/** One of them. @throws ContainerError BAD_STORED_IMAGE when it is not here */
export function storedLayer(
  repository: Repository,
  digest: Digest,
  image: string,
): StoredLayer & Pick<LayerTree, 'hasWhiteouts'> {
  const commit = blobCommit(repository, digest);
  const reader = objectsOf(repository);
  if (commit === undefined || !reader.has(commit, 'commit')) {
    throw new ContainerError('BAD_STORED_IMAGE', `image ${image}: layer ${digest} is not in ${repository.path}`, {
      hint: 'pull the image again',
      subject: image,
    });
  }
  const { metadata, rootTree, rootMeta } = reader.commit(commit);
  const hasWhiteouts = textOf(metadata, KEYS.whiteouts) !== '0';
  return { root: { rootTree, rootMeta }, implied: impliedOf(metadata), hasWhiteouts };
}

/** Undefined when it was never stored, or was pruned away by another program. @throws OciError CONFIG_MALFORMED ... */
export function readStoredConfig(repository: Repository, image: StoredImage): ImageConfig | undefined {
  const bytes = readConfigBytes(repository, image);
  return bytes && parseConfig(bytes);
}

/** The document itself. */
export function readConfigBytes(
  repository: Repository,
  { config, name }: Pick<StoredImage, 'config' | 'name'>,
): Uint8Array | undefined {
  const commit = config && blobCommit(repository, config);
  const reader = objectsOf(repository);
  if (commit === undefined || !reader.has(commit, 'commit')) return undefined;
  const found = findEntry(reader, reader.commit(commit), 'content');
  if (found.kind === 'directory') throw malformed(name, 'is a directory');
  const file = reader.file(found.checksum);
  try {
    if (file.size > MANIFEST_LIMIT) throw malformed(name, `has ${file.size} bytes`);
    return Buffer.from(file.bytes());
  } finally {
    file.close();
  }
}

function malformed(image: string, what: string): ContainerError {
  return new ContainerError('BAD_STORED_IMAGE', `image ${image}: its configuration ${what}`, { subject: image });
}
