/**
 * `ostree.sizes`: how much a client has to fetch and to unpack, in the metadata of a commit.
 *
 * Shape: `aay`, one element for each object, sorted by checksum: 32 bytes of checksum, archived size, unpacked size
 * (varints, seven bits a byte, the low ones first), and the code of the type, which old commits lack: then a file.
 * Source: spec 6.1; create_sizes_metadata in ostree-repo-commit.c.
 */
import { array, bytes, openVariant, type Variant, variantOf } from '../../gvariant/index.ts';
import { CHECKSUM_BYTES, type Checksum, checksumBytes, checksumOf } from './checksum.ts';
import { type ObjectType, objectTypeOf, TYPE_CODES } from './object-type.ts';

export interface ObjectSize {
  readonly checksum: Checksum;
  readonly type: ObjectType;
  /** Bytes of the object as an archive has it. */
  readonly archived: number;
  /** Bytes of the content; of a symbolic link those of its target. */
  readonly unpacked: number;
}

export const SIZES_KEY = 'ostree.sizes';
const SIZES = array(bytes);

export function encodeSizes(sizes: Iterable<ObjectSize>): Variant {
  const sorted = [...sizes].sort((a, b) => (a.checksum < b.checksum ? -1 : a.checksum > b.checksum ? 1 : 0));
  return variantOf(
    SIZES,
    sorted.map(({ checksum, type, archived, unpacked }) =>
      Buffer.concat([checksumBytes(checksum), varint(archived), varint(unpacked), Buffer.of(TYPE_CODES[type])]),
    ),
  );
}

/** Elements that do not parse are left out, for old libostree wrote unusable ones. Undefined: another type of value. */
export function decodeSizes(value: Variant): readonly ObjectSize[] | undefined {
  return openVariant(value, SIZES)?.flatMap((element) => decodeElement(element) ?? []);
}

function decodeElement(element: Uint8Array): ObjectSize | undefined {
  const archived = readVarint(element, CHECKSUM_BYTES);
  const unpacked = archived && readVarint(element, archived.end);
  if (archived === undefined || unpacked === undefined) return undefined;
  const code = element[unpacked.end];
  const type = code === undefined ? 'file' : objectTypeOf(code);
  if (type === undefined || element.length > unpacked.end + 1) return undefined;
  const checksum = checksumOf(element.subarray(0, CHECKSUM_BYTES), SIZES_KEY);
  return { checksum, type, archived: archived.value, unpacked: unpacked.value };
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  return Buffer.from([...out, rest]);
}

/** Undefined when it does not end, or is larger than a JavaScript number holds exactly. */
function readVarint(from: Uint8Array, at: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let unit = 1;
  for (let end = at; end < from.length; ) {
    const byte = from[end++] ?? 0;
    value += (byte & 0x7f) * unit;
    if (!Number.isSafeInteger(value)) return undefined;
    if (byte < 0x80) return { value, end };
    unit *= 0x80;
  }
  return undefined;
}
