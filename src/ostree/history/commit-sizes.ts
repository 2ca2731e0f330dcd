/** `ostree.sizes` of a commit: what a client would have to fetch. Source: spec 6.1, _ostree_read_varuint64. */
import { array, bytes, lookup } from '../../gvariant/index.ts';
import type { Checksum } from '../objects/checksum.ts';
import { CHECKSUM_BYTES, checksumOf } from '../objects/checksum.ts';
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
  if (entry.length < CHECKSUM_BYTES + 2) return undefined;
  const archived = readVarint(entry, CHECKSUM_BYTES);
  const unpacked = archived && readVarint(entry, archived.end);
  if (archived === undefined || unpacked === undefined) return undefined;
  const type = unpacked.end === entry.length ? 'file' : objectTypeOf(entry[unpacked.end] ?? 0);
  if (type === undefined) return undefined;
  const checksum = checksumOf(entry.subarray(0, CHECKSUM_BYTES), 'ostree.sizes');
  return { checksum, type, archived: archived.value, unpacked: unpacked.value };
}

/** Base 128, the low group first. Undefined when it does not end, or is beyond 2^53. */
function readVarint(from: Uint8Array, start: number): { value: number; end: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let at = start; at < Math.min(from.length, start + 10); at++) {
    const byte = from[at] ?? 0;
    value += (byte & 0x7f) * factor;
    if (!Number.isSafeInteger(value)) return undefined;
    if (byte < 0x80) return { value, end: at + 1 };
    factor *= 128;
  }
  return undefined;
}
