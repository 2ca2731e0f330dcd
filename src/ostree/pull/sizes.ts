/** `ostree.sizes` of a commit: how many bytes its objects take, so that the total is known before the first of them. */
import { array, bytes, lookup } from '../../gvariant/index.ts';
import { CHECKSUM_BYTES, type Checksum } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';
import { type ObjectType, objectTypeOf } from '../objects/object-type.ts';

export interface ObjectSize {
  readonly checksum: Checksum;
  readonly type: ObjectType;
  /** Bytes on the server. */
  readonly archived: number;
}

const SIZES = array(bytes);

/** Undefined when the commit does not say. Entries that do not parse, as old libostree wrote them, are left out. */
export function objectSizes({ metadata }: Pick<Commit, 'metadata'>): readonly ObjectSize[] | undefined {
  const entries = lookup(metadata, 'ostree.sizes', SIZES);
  return entries?.flatMap((entry) => parseEntry(entry) ?? []);
}

/** Checksum, two varints, and the type, which old commits do not have: then it is a file. */
function parseEntry(entry: Uint8Array): ObjectSize | undefined {
  if (entry.length <= CHECKSUM_BYTES) return undefined;
  const archived = readVarint(entry, CHECKSUM_BYTES);
  const unpacked = archived && readVarint(entry, archived.end);
  if (archived === undefined || unpacked === undefined) return undefined;
  const code = entry[unpacked.end] ?? 1;
  const type = objectTypeOf(code);
  if (type === undefined || entry.length > unpacked.end + 1) return undefined;
  const checksum = Buffer.from(entry.buffer, entry.byteOffset, CHECKSUM_BYTES).toString('hex');
  return { checksum, type, archived: archived.value };
}

/** Base 128, the low group first. Numbers that no file can have are none. */
function readVarint(from: Uint8Array, start: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = from[start + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, end: start + i + 1 } : undefined;
  }
  return undefined;
}
