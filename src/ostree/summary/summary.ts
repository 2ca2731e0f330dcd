/**
 * A summary: what a repository offers, in one file that can be signed.
 *
 * Shape: `(a(s(taya{sv}))a{sv})` = refs (name, size of the commit object, its checksum, metadata), and metadata of the
 * whole. Sizes are little-endian, for libostree writes them in the order of the machine and the others are dead; times
 * are big-endian. Refs are sorted bytewise, for readers search by bisection. Source: OSTREE_SUMMARY_GVARIANT_FORMAT in
 * ostree-repo.h, and spec 8.
 */

import { codeOf } from '../../base/error.ts';
import { quote } from '../../base/text.ts';
import {
  array,
  boolean,
  bytes,
  dictEntry,
  string,
  type Type,
  tuple,
  uint64,
  uint64be,
  type Vardict,
  type Variant,
  vardict,
  variantOf,
} from '../../gvariant/index.ts';
import { type DeltaDigests, decodeDigests, STATIC_DELTAS } from '../delta/index-file.ts';
import { OstreeError } from '../error.ts';
import { CHECKSUM_BYTES, type Checksum, checksumBytes } from '../objects/checksum.ts';
import { compareNames } from '../objects/order.ts';
import { isCollectionId, isRefName } from '../repository/ref-names.ts';

/** A larger summary is refused before it is read; libostree's own limit for metadata is 10 MiB, summaries are exempt. */
export const SUMMARY_LIMIT = 128 * 2 ** 20;

/** What is known by name: of the repository, and of a ref. */
export const SUMMARY_KEYS = {
  deltas: STATIC_DELTAS,
  lastModified: 'ostree.summary.last-modified',
  expires: 'ostree.summary.expires',
  mode: 'ostree.summary.mode',
  tombstoneCommits: 'ostree.summary.tombstone-commits',
  indexedDeltas: 'ostree.summary.indexed-deltas',
  collectionId: 'ostree.summary.collection-id',
  collectionMap: 'ostree.summary.collection-map',
  timestamp: 'ostree.commit.timestamp',
  version: 'ostree.commit.version',
} as const;

export interface SummaryRef {
  readonly ref: string;
  readonly commit: Checksum;
  /** Of the commit object. */
  readonly size: number;
  /** Everything that is said of it, in the order of the file. */
  readonly metadata: Vardict;
  /** Seconds since the epoch. */
  readonly timestamp: number | undefined;
  readonly version: string | undefined;
}

export interface Summary {
  readonly refs: readonly SummaryRef[];
  /** Everything that is said of the repository, in the order of the file; what follows is read out of it. */
  readonly metadata: Vardict;
  readonly collectionId: string | undefined;
  /** Refs of other collections. */
  readonly collections: ReadonlyMap<string, readonly SummaryRef[]>;
  /** Delta name (`FROM-TO` or `TO`) to the SHA-256 of its superblock file in hex; undefined: the list is elsewhere. */
  readonly deltas: DeltaDigests | undefined;
  /** Seconds since the epoch, as `expires`. */
  readonly lastModified: number | undefined;
  readonly expires: number | undefined;
  /** As in `core.mode`: `archive-z2`. */
  readonly mode: string | undefined;
  readonly tombstoneCommits: boolean;
  /** Look for `delta-indexes/`. */
  readonly indexedDeltas: boolean;
}

type RawRef = readonly [ref: string, commit: readonly [size: bigint, checksum: Uint8Array, metadata: Vardict]];

const REFS: Type<readonly RawRef[]> = array(tuple(string, tuple(uint64, bytes, vardict)));
const COLLECTIONS = array(dictEntry(string, REFS));
const SUMMARY = tuple(REFS, vardict);

/** The type of the whole file. */
export const SUMMARY_SIGNATURE = SUMMARY.signature;

/** @throws OstreeError SUMMARY_MALFORMED */
export function decodeSummary(file: Uint8Array, what = 'summary'): Summary {
  const [refs, metadata] = strictly(() => SUMMARY.decode(file), what);
  const known = <T>(key: string, type: Type<T>): T | undefined => knownValue(metadata, key, type, what);
  const collectionId = known(SUMMARY_KEYS.collectionId, string);
  if (collectionId !== undefined) assertCollection(collectionId, what);
  const deltas = known(SUMMARY_KEYS.deltas, vardict);
  return {
    refs: readRefs(refs, what),
    metadata,
    collectionId,
    collections: readCollections(known(SUMMARY_KEYS.collectionMap, COLLECTIONS) ?? [], what),
    deltas: deltas && strictly(() => decodeDigests(deltas, 'static deltas'), what),
    lastModified: readSeconds(known(SUMMARY_KEYS.lastModified, uint64be), what),
    expires: readSeconds(known(SUMMARY_KEYS.expires, uint64be), what),
    mode: known(SUMMARY_KEYS.mode, string),
    tombstoneCommits: known(SUMMARY_KEYS.tombstoneCommits, boolean) ?? false,
    indexedDeltas: known(SUMMARY_KEYS.indexedDeltas, boolean) ?? false,
  };
}

/** What is written of a ref; the rest of `SummaryRef` is read out of its metadata. */
export type RefLine = Pick<SummaryRef, 'ref' | 'commit' | 'size' | 'metadata'>;

/** Sorts the refs; `encodeSummary(decodeSummary(file))` is `file` again. */
export function encodeSummary({
  refs,
  metadata,
}: {
  readonly refs: readonly RefLine[];
  readonly metadata: Vardict;
}): Uint8Array {
  return SUMMARY.encode([rawRefs(refs), metadata]);
}

/** The value of `ostree.summary.collection-map`. */
export function collectionMap(collections: ReadonlyMap<string, readonly RefLine[]>): Variant {
  const sorted = [...collections].sort(([a], [b]) => compareNames(a, b));
  return variantOf(
    COLLECTIONS,
    sorted.map(([id, refs]) => [id, rawRefs(refs)] as const),
  );
}

function rawRefs(refs: readonly RefLine[]): RawRef[] {
  return [...refs]
    .sort((a, b) => compareNames(a.ref, b.ref))
    .map(({ ref, commit, size, metadata }) => [ref, [BigInt(size), checksumBytes(commit), metadata]]);
}

function readRefs(refs: readonly RawRef[], what: string): SummaryRef[] {
  assertOrder(
    refs.map(([ref]) => ref),
    what,
  );
  return refs.map(([ref, [size, checksum, metadata]]) => {
    if (!isRefName(ref)) throw refuse(what, `${quote(ref)} is no name for a ref`);
    const at = `${what}: ref ${quote(ref)}`;
    if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(at, `a commit of ${size} bytes`);
    return {
      ref,
      commit: readChecksum(checksum, at),
      size: Number(size),
      metadata,
      timestamp: readSeconds(knownValue(metadata, SUMMARY_KEYS.timestamp, uint64be, at), at),
      version: knownValue(metadata, SUMMARY_KEYS.version, string, at),
    };
  });
}

function readCollections(
  collections: readonly (readonly [string, readonly RawRef[]])[],
  what: string,
): ReadonlyMap<string, readonly SummaryRef[]> {
  assertOrder(
    collections.map(([id]) => id),
    what,
  );
  return new Map(
    collections.map(([id, refs]) => {
      assertCollection(id, what);
      return [id, readRefs(refs, `${what}: collection ${id}`)];
    }),
  );
}

function assertOrder(names: readonly string[], what: string): void {
  for (const [i, name] of names.entries()) {
    const before = names[i - 1];
    if (before !== undefined && compareNames(before, name) >= 0) throw refuse(what, `${quote(name)} is out of order`);
  }
}

function assertCollection(id: string, what: string): void {
  if (!isCollectionId(id)) throw refuse(what, `${quote(id)} is no collection id`);
}

/** Undefined when it is absent. @throws OstreeError SUMMARY_MALFORMED when it is there and of another type */
function knownValue<T>(dict: Vardict, key: string, type: Type<T>, what: string): T | undefined {
  const found = dict.find(([name]) => name === key)?.[1];
  if (found === undefined) return undefined;
  if (found.signature === type.signature) return type.decode(found.bytes);
  throw refuse(what, `${key}: expected ${type.signature}, found ${quote(found.signature)}`);
}

function readSeconds(seconds: bigint | undefined, what: string): number | undefined {
  if (seconds === undefined) return undefined;
  if (seconds > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse(what, `a time of ${seconds} seconds`);
  return Number(seconds);
}

function readChecksum(digest: Uint8Array, what: string): Checksum {
  if (digest.length === CHECKSUM_BYTES) return Buffer.from(digest).toString('hex');
  throw refuse(what, `expected a checksum of ${CHECKSUM_BYTES} bytes, found ${digest.length}`);
}

const MALFORMED = new Set(['GVARIANT_MALFORMED', 'DELTA_MALFORMED', 'OBJECT_MALFORMED']);

/** Whatever is wrong inside is a malformed summary. */
function strictly<T>(decode: () => T, what: string): T {
  try {
    return decode();
  } catch (error) {
    if (!MALFORMED.has(codeOf(error) ?? '') || !(error instanceof Error)) throw error;
    throw new OstreeError('SUMMARY_MALFORMED', `${what}: ${error.message}`, { cause: error });
  }
}

function refuse(what: string, text: string): OstreeError {
  return new OstreeError('SUMMARY_MALFORMED', `${what}: ${text}`);
}
