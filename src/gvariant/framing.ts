/**
 * What containers share: alignment, and the table of offsets at their end.
 * Source: the GVariant specification, and section "Serialised form" of its reference documentation in GLib.
 */
import { malformed } from './error.ts';
import type { Writer } from './writer.ts';

/**
 * How many containers may surround a value, variants included. GLib allows 128; 64 is what D-Bus allows and far more
 * than any known metadata uses.
 */
export const DEEPEST = 64;

/**
 * Elements of arrays that one decoding reads, those of inner arrays too. One may take two bytes of its container and a
 * hundred of memory: hostile metadata of the size that OSTree accepts would fill any. No more fit into 128 MiB when
 * each has a checksum.
 */
const MOST_ELEMENTS = 2 ** 22;

/** Of the decoding that is under way: it is synchronous, and none begins within another. */
let elements = 0;

export function beginDecoding(): void {
  elements = 0;
}

/** @throws GVariantError GVARIANT_MALFORMED when it is one too many */
export function countElement(signature: string): void {
  if (++elements > MOST_ELEMENTS) throw malformed(signature, `at most ${MOST_ELEMENTS} elements in all`, 'more');
}

/** The level of a child. @throws GVariantError GVARIANT_MALFORMED when it lies too deep */
export function deeper(level: number, signature: string): number {
  if (level >= DEEPEST) throw malformed(signature, `at most ${DEEPEST} containers inside one another`, 'more');
  return level + 1;
}

/** How many bytes each offset takes in a container of `size` bytes, offsets included. */
export function offsetWidth(size: number): 1 | 2 | 4 | 8 {
  if (size <= 0xff) return 1;
  if (size <= 0xffff) return 2;
  return size <= 0xffff_ffff ? 4 : 8;
}

/** The width to choose for `count` offsets behind a body of `size` bytes: the smallest that can address the whole. */
export function smallestWidth(size: number, count: number): 1 | 2 | 4 | 8 {
  if (size + count <= 0xff) return 1;
  if (size + 2 * count <= 0xffff) return 2;
  return size + 4 * count <= 0xffff_ffff ? 4 : 8;
}

export function readOffset(from: Buffer, at: number, width: 1 | 2 | 4 | 8): number {
  if (width === 1) return from.readUInt8(at);
  if (width === 2) return from.readUInt16LE(at);
  if (width === 4) return from.readUInt32LE(at);
  return from.readUInt32LE(at) + 2 ** 32 * from.readUInt32LE(at + 4); // inexact only where it is out of range anyway
}

/** How many bytes are missing to the next multiple of `alignment`. */
export function gap(offset: number, alignment: number): number {
  return -offset & (alignment - 1);
}

/** Write NULs so that the next child of the container that began at `start` is aligned. */
export function align(to: Writer, start: number, alignment: number): void {
  to.zeros(gap(to.length - start, alignment));
}

/**
 * Step over the NULs in front of a child. `start` is where the container begins, `offset` is relative to it, and
 * nothing may lie beyond `limit`. Gives where the child begins, or -1 when there is something else than padding.
 */
export function skipPadding(from: Buffer, start: number, offset: number, alignment: number, limit: number): number {
  const aligned = offset + gap(offset, alignment);
  return aligned <= limit && isZero(from, start + offset, start + aligned) ? aligned : -1;
}

export function isZero(from: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (from[i] !== 0) return false;
  return true;
}
