/** The commit of a whole image, and what its metadata say of the image (spec ostree-container 2.7). */
import { array, dictEntry, lookup, string, type Vardict, variantOf } from '../../../gvariant/index.ts';
import { type ImageManifest, isDigest, parseManifest, type RawManifest, rawManifest } from '../../../oci/index.ts';
import { type Checksum, type ObjectReader, type Root, type Transaction, writeCommit } from '../../../ostree/index.ts';
import { StoreError } from '../error.ts';
import { COUNTS, type Counts } from './derived-layer.ts';

const DIGEST = 'ostree.manifest-digest';
const MANIFEST = 'ostree.manifest';
const CONFIG = 'ostree.container.image-config';
const IMPORTER = 'ostree.importer.version';
const FILTERED = 'ostree.tar-filtered';

/** By the digest of each layer from which something was left out. */
const FILTERED_TYPE = array(dictEntry(string, COUNTS));

export interface ImageFacts {
  /** As it was received: its digest can be checked again. */
  readonly manifest: RawManifest;
  readonly config: Uint8Array;
}

export interface MergeCommit extends ImageFacts {
  /** Version of the program that makes it. */
  readonly importer: string;
  /** By the digest of the layer; those of which nothing was left out may be missing. */
  readonly filtered: ReadonlyMap<string, Counts>;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

export function writeMergeCommit({ writer }: Transaction, root: Root, facts: MergeCommit): Checksum {
  const { manifest, config, importer, timestamp } = facts;
  const filtered = [...facts.filtered].filter(([, counts]) => counts.size > 0);
  const metadata: Vardict = [
    [DIGEST, variantOf(string, manifest.digest)],
    [MANIFEST, variantOf(string, textOf(manifest.bytes))],
    [CONFIG, variantOf(string, textOf(config))],
    [IMPORTER, variantOf(string, importer)],
  ];
  const entries = filtered.map(([layer, counts]) => [layer, [...counts]] as const);
  const last = entries.length === 0 ? [] : [[FILTERED, variantOf(FILTERED_TYPE, entries)] as const];
  return writeCommit(writer, root, { timestamp, metadata: [...metadata, ...last] });
}

/** An image as the repository has it. */
export interface StoredImage extends ImageFacts {
  readonly commit: Checksum;
  readonly image: ImageManifest;
  /** Entries of its layers that are not in the tree, by the first component of their path. */
  readonly filtered: Counts;
}

/** @throws StoreError STORED_IMAGE_MALFORMED; OciError; OstreeError OBJECT_MISSING */
export function readMergeCommit(reader: ObjectReader, commit: Checksum): StoredImage {
  const found = readMergeCommitIfAny(reader, commit);
  if (found !== undefined) return found;
  throw new StoreError('STORED_IMAGE_MALFORMED', `commit ${commit}: has no manifest of an image in its metadata`, {
    hint: 'pull the image again',
    subject: commit,
  });
}

/** Undefined for a commit of anything else. */
export function readMergeCommitIfAny(reader: ObjectReader, commit: Checksum): StoredImage | undefined {
  const { metadata } = reader.commit(commit);
  const digest = lookup(metadata, DIGEST, string);
  const text = lookup(metadata, MANIFEST, string);
  if (digest === undefined || text === undefined || !isDigest(digest)) return undefined;
  // Established tools store it written anew: the digest is what it says, not what the bytes give.
  const manifest = { ...rawManifest(Buffer.from(text)), digest };
  const image = parseManifest(manifest);
  if (image.kind !== 'image') return undefined;
  const config = Buffer.from(lookup(metadata, CONFIG, string) ?? '');
  const filtered = sumOf((lookup(metadata, FILTERED, FILTERED_TYPE) ?? []).map(([, counts]) => new Map(counts)));
  return { commit, manifest, image, config, filtered };
}

export function sumOf(all: Iterable<Counts>): Counts {
  const sum = new Map<string, number>();
  for (const counts of all) {
    for (const [path, count] of counts) sum.set(path, (sum.get(path) ?? 0) + count);
  }
  return new Map([...sum].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** JSON that was parsed already, and so is UTF-8 without NUL. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
