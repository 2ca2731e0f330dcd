/** Images by their branches. */
import { decodeUtf8 } from '../../base/decode.ts';
import { CodedError } from '../../base/error.ts';
import {
  type Digest,
  digestOf,
  isDigest,
  MANIFEST_LIMIT,
  parseManifest,
  rawManifest,
  splitDigest,
} from '../../oci/index.ts';
import { type Checksum, findEntry, type ObjectReader, objectsOf, type Repository } from '../../ostree/index.ts';
import { ContainerError } from '../error.ts';
import { type ImageBranch, readBranches } from './branch.ts';
import { possibleNames } from './image-names.ts';
import { digestOfKey, KEYS, textOf } from './metadata.ts';
import type { BrokenImage, StoredImage } from './stored-image.ts';
import { parseVerification } from './verification.ts';

/** Sorted by name; one that cannot be read does not hide the others. */
export function listImages(repository: Repository): readonly (StoredImage | BrokenImage)[] {
  const reader = objectsOf(repository);
  return readBranches(repository).images.map((branch) => {
    try {
      return readImage(reader, branch);
    } catch (error) {
      if (error instanceof CodedError) return { name: branch.name, branch: branch.branch, problem: error.message };
      throw error;
    }
  });
}

export function isStored(image: StoredImage | BrokenImage): image is StoredImage {
  return 'commit' in image;
}

/** The readable ones. */
export function readableImages(repository: Repository): readonly StoredImage[] {
  return listImages(repository).filter(isStored);
}

/**
 * By a reference with or without transport, or by the beginning of the digest of exactly one image.
 * @throws ContainerError BAD_STORED_IMAGE
 */
export function findImage(repository: Repository, text: string): StoredImage | undefined {
  const branch = findBranch(repository, text);
  return branch && readImage(objectsOf(repository), branch);
}

/** Under exactly this name; a broken one counts for none, for it is about to be replaced. */
export function findStoredAs(repository: Repository, name: string): StoredImage | undefined {
  return readableImages(repository).find((image) => image.name === name);
}

/** The same for images that may be broken. */
export function findBranch(repository: Repository, text: string): ImageBranch | undefined {
  const { images } = readBranches(repository);
  for (const name of possibleNames(text)) {
    const found = images.find((image) => image.name === name);
    if (found !== undefined) return found;
  }
  if (!/^[A-Za-z0-9]+$/.test(text)) return undefined;
  const [only, ...others] = readableImages(repository).filter(({ digest }) => splitDigest(digest).hex.startsWith(text));
  return others.length === 0 ? only : undefined;
}

/** @throws ContainerError IMAGE_NOT_STORED, BAD_STORED_IMAGE */
export function imageOf(repository: Repository, text: string): StoredImage {
  const found = findImage(repository, text);
  if (found !== undefined) return found;
  throw imageNotStored(text);
}

export function imageNotStored(text: string): ContainerError {
  return new ContainerError('IMAGE_NOT_STORED', `${text}: there is no such image here`, {
    hint: 'pull it, or write more of its digest; "images list" shows those that there are',
    subject: text,
  });
}

/** @throws ContainerError BAD_STORED_IMAGE */
export function readImage(reader: ObjectReader, { name, branch, commit }: ImageBranch): StoredImage {
  try {
    return { name, branch, commit, ...factsOf(reader, commit) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new ContainerError('BAD_STORED_IMAGE', `image ${name}: ${error.message}`, {
      cause: error,
      hint: 'pull it again',
      subject: name,
    });
  }
}

function factsOf(reader: ObjectReader, checksum: Checksum): Omit<StoredImage, 'name' | 'branch' | 'commit'> {
  const commit = reader.commit(checksum);
  const text = textOf(commit.metadata, KEYS.manifest);
  const raw = text === undefined ? manifestFile(reader, checksum) : Buffer.from(text);
  return {
    raw,
    digest: digestOfKey(commit.metadata, KEYS.digest) ?? digestOf(raw),
    created: commit.timestamp,
    verification: parseVerification(textOf(commit.metadata, KEYS.verification)),
    ...readManifest(raw),
  };
}

/** The copy in the tree. */
function manifestFile(reader: ObjectReader, checksum: Checksum): Uint8Array {
  const found = findEntry(reader, reader.commit(checksum), 'manifest.json');
  if (found.kind === 'directory') throw new CodedError('BAD_STORED_IMAGE', 'manifest.json is a directory');
  const file = reader.file(found.checksum);
  try {
    if (file.size > MANIFEST_LIMIT) throw new CodedError('TOO_LARGE', `manifest.json: ${file.size} bytes`);
    return Buffer.from(file.bytes());
  } finally {
    file.close();
  }
}

/** @throws OciError MANIFEST_MALFORMED ... */
function readManifest(raw: Uint8Array): Pick<StoredImage, 'layers' | 'config'> {
  const old = schema1Layers(raw);
  if (old !== undefined) return { layers: old, config: undefined };
  const manifest = parseManifest(rawManifest(raw));
  if (manifest.kind !== 'image') throw new CodedError('BAD_STORED_IMAGE', 'its manifest is an index of images');
  return { layers: manifest.layers.map(({ digest }) => digest), config: manifest.config.digest };
}

/** Of Docker's schema 1, which lists the uppermost first. */
function schema1Layers(raw: Uint8Array): readonly Digest[] | undefined {
  const text = decodeUtf8(raw);
  if (text === undefined || !text.includes('"fsLayers"')) return undefined;
  const manifest: unknown = parsedJson(text);
  if (!isObject(manifest) || manifest['schemaVersion'] !== 1 || !Array.isArray(manifest['fsLayers'])) return undefined;
  const layers = manifest['fsLayers'].map((layer: unknown) => (isObject(layer) ? layer['blobSum'] : undefined));
  const digests = layers.filter((digest): digest is Digest => typeof digest === 'string' && isDigest(digest));
  if (digests.length === layers.length) return digests.reverse();
  throw new CodedError('BAD_STORED_IMAGE', 'its manifest has a layer without a digest');
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // said by the strict parser, which comes next
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
