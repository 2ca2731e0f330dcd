/**
 * The head of a static delta: which commit it makes of which, its parts, and what must be fetched by itself.
 *
 * Shape: `(a{sv}tayay(a{sv}aya(say)sstayay)aya(uayttay)a(yaytt))`. Version and sizes are in the byte order that the
 * metadata key `ostree.endianness` names; the rest as everywhere. Inline parts are in the metadata, under their paths.
 * Source: OSTREE_STATIC_DELTA_SUPERBLOCK_FORMAT in ostree-repo-static-delta-private.h; spec 9.2, 9.3.
 */
import {
  array,
  byte,
  bytes,
  lookup,
  tuple,
  uint32,
  uint64,
  uint64be,
  type Vardict,
  vardict,
} from '../../gvariant/index.ts';
import { OstreeError } from '../error.ts';
import type { ObjectName } from '../jobs/verify-objects.ts';
import { CHECKSUM_BYTES, type Checksum, checksumBytes, checksumOf } from '../objects/checksum.ts';
import { COMMIT } from '../objects/commit.ts';
import { METADATA_LIMIT, objectTypeOf, TYPE_CODES } from '../objects/object-type.ts';
import { deltaPath } from './names.ts';

export interface DeltaPart {
  /** SHA-256 of the part's file, or of its inline value. */
  readonly digest: Checksum;
  /** Bytes of the part's file. */
  readonly size: number;
  /** Bytes of the objects in it together. */
  readonly uncompressedSize: number;
  readonly objects: readonly ObjectName[];
  /** The file itself when it is in the superblock. */
  readonly inline: Uint8Array | undefined;
}

/** An object that is fetched by itself. */
export interface DeltaFallback extends ObjectName {
  readonly size: number;
  readonly uncompressedSize: number;
}

export interface Superblock {
  readonly metadata: Vardict;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly from: Checksum | undefined;
  readonly to: Checksum;
  /** The commit object of `to`. */
  readonly commit: Uint8Array;
  /** Detached metadata of `to` when the delta was made. */
  readonly detached: Vardict | undefined;
  readonly parts: readonly DeltaPart[];
  readonly fallbacks: readonly DeltaFallback[];
}

const PART = tuple(uint32, bytes, uint64, uint64, bytes);
const FALLBACK = tuple(byte, bytes, uint64, uint64);
const SUPERBLOCK = tuple(vardict, uint64be, bytes, bytes, COMMIT, bytes, array(PART), array(FALLBACK));

/** Value of `(yay)`: compression, payload. */
export const INLINE_PART = tuple(byte, bytes);

export const ENDIANNESS = 'ostree.endianness';
export const [LITTLE, BIG] = [0x6c, 0x42]; // 'l', 'B'
const OBJECT_BYTES = 1 + CHECKSUM_BYTES;

/**
 * @param limit of its size; with inline parts a file may hold more than comes over the network
 * @throws OstreeError DELTA_MALFORMED
 */
export function decodeSuperblock(file: Uint8Array, what: string, limit = METADATA_LIMIT): Superblock {
  if (file.length > limit) throw malformed(what, `${file.length} bytes`);
  return naming(what, () => {
    const [metadata, timestamp, from, to, commit, , parts, fallbacks] = SUPERBLOCK.decode(file);
    const name = { from: from.length === 0 ? undefined : checksumOf(from, what), to: checksumOf(to, what) };
    const number = numberReader(metadata, parts, what);
    const path = deltaPath(name);
    const inline = inlineParts(metadata);
    return {
      metadata,
      timestamp: safeNumber(timestamp, what),
      ...name,
      commit: COMMIT.encode(commit),
      detached: lookup(metadata, `${path}/commitmeta`, vardict),
      parts: parts.map(([version, digest, size, uncompressed, objects], i) => {
        if (version !== 0) throw malformed(what, `part ${i}: expected version 0, found ${version}`);
        return {
          digest: checksumOf(digest, what),
          size: number(size),
          uncompressedSize: number(uncompressed),
          objects: decodeObjects(objects, what),
          inline: inline.get(`${path}/${i}`),
        };
      }),
      fallbacks: fallbacks.map(([code, checksum, size, uncompressed]) => {
        if (code !== TYPE_CODES.file) throw malformed(what, `a fallback of type ${code}: only files may be`);
        const type = 'file' as const;
        return {
          type,
          checksum: checksumOf(checksum, what),
          size: number(size),
          uncompressedSize: number(uncompressed),
        };
      }),
    };
  });
}

/** By their paths; of two with one path the first. A table: there may be a million parts, and as many keys. */
function inlineParts(metadata: Vardict): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const [key, value] of metadata) {
    if (value.signature === INLINE_PART.signature && !found.has(key)) found.set(key, value.bytes);
  }
  return found;
}

/**
 * As the metadata say: they are written as they are, inline parts and detached metadata in them, and the numbers in the
 * byte order that they name (little-endian when they name none). `encodeSuperblock(decodeSuperblock(file))` is `file`.
 */
export function encodeSuperblock(superblock: Omit<Superblock, 'detached'>): Uint8Array {
  const swap = lookup(superblock.metadata, ENDIANNESS, byte) === BIG;
  const raw = (value: number): bigint => (swap ? swapBytes(BigInt(value)) : BigInt(value));
  return SUPERBLOCK.encode([
    superblock.metadata,
    BigInt(superblock.timestamp),
    superblock.from === undefined ? new Uint8Array() : checksumBytes(superblock.from),
    checksumBytes(superblock.to),
    COMMIT.decode(superblock.commit),
    new Uint8Array(),
    superblock.parts.map(
      ({ digest, size, uncompressedSize, objects }) =>
        [0, checksumBytes(digest), raw(size), raw(uncompressedSize), encodeObjects(objects)] as const,
    ),
    superblock.fallbacks.map(
      ({ checksum, size, uncompressedSize }) =>
        [TYPE_CODES.file, checksumBytes(checksum), raw(size), raw(uncompressedSize)] as const,
    ),
  ]);
}

function encodeObjects(objects: readonly ObjectName[]): Uint8Array {
  const out = Buffer.allocUnsafe(objects.length * OBJECT_BYTES);
  for (const [i, { type, checksum }] of objects.entries()) {
    out[i * OBJECT_BYTES] = TYPE_CODES[type];
    out.write(checksum, i * OBJECT_BYTES + 1, 'hex');
  }
  return out;
}

function decodeObjects(list: Uint8Array, what: string): ObjectName[] {
  if (list.length % OBJECT_BYTES !== 0) throw malformed(what, `an object list of ${list.length} bytes`);
  return Array.from({ length: list.length / OBJECT_BYTES }, (_, i) => {
    const at = i * OBJECT_BYTES;
    const type = objectTypeOf(list[at] ?? 0);
    if (type === undefined) throw malformed(what, `an object of type ${list[at]}`);
    return { type, checksum: checksumOf(list.subarray(at + 1, at + OBJECT_BYTES), what) };
  });
}

type RawPart = readonly [number, Uint8Array, bigint, bigint, Uint8Array];

/** Numbers in the order of the machine that made the delta. Very old deltas do not name it. */
function numberReader(metadata: Vardict, parts: readonly RawPart[], what: string): (raw: bigint) => number {
  const named = lookup(metadata, ENDIANNESS, byte);
  if (named !== undefined && named !== LITTLE && named !== BIG) throw malformed(what, `byte order ${named}`);
  const swap = named === undefined ? looksSwapped(parts) : named === BIG;
  return (raw) => safeNumber(swap ? swapBytes(raw) : raw, what);
}

/** The reference's guess: no part is much larger than what it makes, and no average object has 4 GiB. */
function looksSwapped(parts: readonly RawPart[]): boolean {
  let total = 0n;
  let objects = 0n;
  for (const [, , size, uncompressed, list] of parts) {
    if (size > uncompressed + uncompressed / 5n) return true;
    total += uncompressed;
    objects += BigInt(Math.floor(list.length / OBJECT_BYTES)); // a broken list is refused where it is read
  }
  return objects > 0n && total / objects > 2n ** 32n;
}

function swapBytes(value: bigint): bigint {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer.readBigUInt64BE();
}

function safeNumber(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(what, `a number of ${value}`);
  return Number(value);
}

export function malformed(what: string, text: string, cause?: unknown): OstreeError {
  return new OstreeError('DELTA_MALFORMED', `${what}: ${text}`, { cause });
}

/** Whatever is wrong inside is a malformed delta, which is named. */
export function naming<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && MALFORMED.has(String(error.code))) {
      throw malformed(what, error.message, error);
    }
    throw error;
  }
}

const MALFORMED = new Set(['GVARIANT_MALFORMED', 'OBJECT_MALFORMED']);
