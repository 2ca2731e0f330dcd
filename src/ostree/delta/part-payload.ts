/**
 * What is inside a part: `(a(uuu)aa(ayay)ayay)` = owners and modes (big-endian), lists of extended attributes, raw data,
 * operations. Before it one byte says how it is compressed: 0 not at all, `x` as an .xz stream. Spec 9.4.
 */
import { decompressXz } from '../../compression/index.ts';
import { array, bytes, tuple, uint32be } from '../../gvariant/index.ts';
import { packXattrs, unpackXattrs, XATTRS, type Xattrs } from '../objects/xattrs.ts';
import { malformed, naming } from './superblock.ts';

export interface FileMode {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

export interface PartPayload {
  readonly modes: readonly FileMode[];
  readonly xattrs: readonly Xattrs[];
  readonly data: Uint8Array;
  readonly operations: Uint8Array;
}

const MODES = array(tuple(uint32be, uint32be, uint32be));
const XATTR_LISTS = array(XATTRS);
const PAYLOAD = tuple(MODES, XATTR_LISTS, bytes, bytes);
/** The same with its tables as they lie there: an entry of a few bytes takes some hundred once it is decoded. */
const RAW_PAYLOAD = tuple(bytes, bytes, bytes, bytes);
/** Entries differ, so even a part of a large distribution has a few hundred; room enough for signatures of single files. */
const TABLE_LIMIT = 16 * 2 ** 20;

export const PLAIN = 0;
export const XZ = 0x78;

/** A payload larger than this is refused before it is unpacked: parts hold 32 MB of objects, or one large patch. */
export const PAYLOAD_LIMIT = 2 ** 30;

/** @throws OstreeError DELTA_MALFORMED */
export async function decodePart(file: Uint8Array, what: string): Promise<PartPayload> {
  const [compression] = file;
  if (compression === PLAIN) return decodePayload(file.subarray(1), what);
  if (compression !== XZ) throw malformed(what, `unknown compression ${compression ?? 'in an empty file'}`);
  return decodePayload(await unpack(file.subarray(1), what), what);
}

async function unpack(stream: Uint8Array, what: string): Promise<Uint8Array> {
  try {
    return await decompressXz(stream, PAYLOAD_LIMIT);
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^(COMPRESSION_|TOO_LARGE)/.test(String(error.code))) {
      throw malformed(what, 'cannot be unpacked', error);
    }
    throw error;
  }
}

function decodePayload(payload: Uint8Array, what: string): PartPayload {
  return naming(what, () => {
    const [modes, xattrs, data, operations] = RAW_PAYLOAD.decode(payload);
    const size = Math.max(modes.length, xattrs.length);
    if (size > TABLE_LIMIT) throw malformed(what, `a table of ${size} bytes`);
    return {
      modes: MODES.decode(modes).map(([uid, gid, mode]) => ({ uid, gid, mode })),
      xattrs: XATTR_LISTS.decode(xattrs).map((list) => unpackXattrs(list, what)),
      data,
      operations,
    };
  });
}

/** Not compressed, without the first byte. */
export function encodePayload({ modes, xattrs, data, operations }: PartPayload): Uint8Array {
  return PAYLOAD.encode([
    modes.map(({ uid, gid, mode }) => [uid, gid, mode] as const),
    xattrs.map(packXattrs),
    data,
    operations,
  ]);
}
