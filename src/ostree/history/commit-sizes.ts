/** `ostree.sizes` of a commit: what a client would have to fetch. Source: ostree.sizes in ostree-core-private.h. */
import { CodedError } from '../../base/error.ts';
import { array, bytes, lookup } from '../../gvariant/index.ts';
import { readVarint } from '../delta/algorithms/varint.ts';
import { CHECKSUM_BYTES, type Checksum, checksumOf } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';
import { type ObjectType, objectTypeOf } from '../objects/object-type.ts';
import type { ObjectReader } from '../storage/object-reader.ts';

export interface ObjectSize {
  readonly checksum: Checksum;
  readonly type: ObjectType;
  /** Bytes in an archive. */
  readonly archived: number;
  readonly unpacked: number;
}

export interface CommitSizes {
  readonly objects: number;
  readonly archived: number;
  readonly unpacked: number;
}

/** Undefined when the commit does not tell. Entries that do not parse are left out: old versions wrote such. */
export function sizesOf({ metadata }: Commit): readonly ObjectSize[] | undefined {
  return lookup(metadata, 'ostree.sizes', array(bytes))?.flatMap((entry) => parseEntry(entry) ?? []);
}

export function totalOf(sizes: readonly ObjectSize[]): CommitSizes {
  return sizes.reduce(
    (sum, { archived, unpacked }) => ({
      objects: sum.objects + 1,
      archived: sum.archived + archived,
      unpacked: sum.unpacked + unpacked,
    }),
    { objects: 0, archived: 0, unpacked: 0 },
  );
}

/** Those that are not in the repository. */
export function neededOf(sizes: readonly ObjectSize[], reader: ObjectReader): readonly ObjectSize[] {
  return sizes.filter(({ checksum, type }) => !reader.has(checksum, type));
}

function parseEntry(entry: Uint8Array): ObjectSize | undefined {
  try {
    const checksum = checksumOf(entry.subarray(0, CHECKSUM_BYTES), 'ostree.sizes');
    const archived = readVarint(entry, CHECKSUM_BYTES);
    const unpacked = readVarint(entry, archived.next);
    const type = unpacked.next === entry.length ? 'file' : objectTypeOf(entry[unpacked.next] ?? 0);
    return type && { checksum, type, archived: archived.value, unpacked: unpacked.value };
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}
