/**
 * Branches of images, layers and configurations, as the earlier tools wrote them (spec system-containers 5):
 * `ociimage/` and the name of the image, each byte outside `A-Z a-z 0-9 . -` as `_XX`, or the hex of a digest.
 */
import { type Digest, splitDigest } from '../../oci/index.ts';
import { type Checksum, HEAD, listRefs, type Repository, readRef } from '../../ostree/index.ts';
import { ContainerError } from '../error.ts';

const PREFIX = 'ociimage/';
/** The first releases of one of them; such branches are read and never written. */
const OLD_PREFIX = 'dockerimg/';
/** One component of a path: what Linux takes. */
const LONGEST = 255;
/** sha256 or sha512. */
const HEX = /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/;

/** Merged trees, and image commits that deployments came from though no name leads to them any more. */
const MERGED = 'os-containers/merged/';
const HOLDER = 'os-containers/image/';

/** @param name in full @throws ContainerError IMAGE_NAME_MISSING for one that is too long */
export function imageBranch(name: string): string {
  const escaped = Buffer.from(name).reduce((text, byte) => text + escapedByte(byte), '');
  if (escaped.length <= LONGEST) return `${PREFIX}${escaped}`;
  throw new ContainerError('IMAGE_NAME_MISSING', `${name}: too long for the name of a branch`, {
    hint: 'pull it under a shorter one with --name',
    subject: name,
  });
}

/** Of a layer or a configuration. */
export function blobBranch(digest: Digest): string {
  return `${PREFIX}${splitDigest(digest).hex}`;
}

export function mergedRef(imageCommit: Checksum): string {
  return `${MERGED}${imageCommit}`;
}

export function holderRef(imageCommit: Checksum): string {
  return `${HOLDER}${imageCommit}`;
}

/** The commit of a blob's branch, the old prefix included. */
export function blobCommit(repository: Repository, digest: Digest): Checksum | undefined {
  const branch = blobBranch(digest);
  return readRef(repository, HEAD, branch) ?? readRef(repository, HEAD, `${OLD_PREFIX}${branch.slice(PREFIX.length)}`);
}

export interface Branch {
  readonly branch: string;
  readonly commit: Checksum;
}

export interface ImageBranch extends Branch {
  readonly name: string;
}

export interface BlobBranch extends Branch {
  /** Of its digest. */
  readonly hex: string;
}

export interface Branches {
  /** Sorted by name; of a name under both prefixes only that under the new one. */
  readonly images: readonly ImageBranch[];
  readonly blobs: readonly BlobBranch[];
  /** Refs of ours to the commit of an image, which their name has. */
  readonly merged: readonly ImageCommitRef[];
  readonly holders: readonly ImageCommitRef[];
}

export interface ImageCommitRef extends Branch {
  readonly imageCommit: string;
}

export function readBranches(repository: Repository): Branches {
  const heads = listRefs(repository)
    .filter(({ place }) => place.kind === 'head')
    .map(({ ref, commit }) => ({ branch: ref, commit }));
  const below = (prefix: string) => heads.filter(({ branch }) => branch.startsWith(prefix));
  const all = [PREFIX, OLD_PREFIX].flatMap((prefix) =>
    below(prefix).map((each) => ({ ...each, rest: each.branch.slice(prefix.length) })),
  );
  const images = new Map<string, ImageBranch>();
  for (const { branch, commit, rest } of all.filter((each) => !HEX.test(each.rest))) {
    const name = unescapeName(rest);
    if (!images.has(name)) images.set(name, { branch, commit, name });
  }
  return {
    images: [...images.values()].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))),
    blobs: all.filter(({ rest }) => HEX.test(rest)).map(({ branch, commit, rest }) => ({ branch, commit, hex: rest })),
    merged: below(MERGED).map((each) => ({ ...each, imageCommit: each.branch.slice(MERGED.length) })),
    holders: below(HOLDER).map((each) => ({ ...each, imageCommit: each.branch.slice(HOLDER.length) })),
  };
}

function escapedByte(byte: number): string {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9.-]/.test(char) ? char : `_${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** What no name was escaped to stays as it is: an underscore without hex, or with that of a byte above 7F. */
export function unescapeName(text: string): string {
  return text.replace(/_([0-7][0-9A-Fa-f])/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
