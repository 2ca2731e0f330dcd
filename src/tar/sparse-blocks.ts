/**
 * Sparse maps that lie in blocks of the archive itself.
 *
 * Shape: the old GNU form has pairs of 12-byte numbers in the header, 4 of them, and 21 in each block that follows as
 * long as a flag says so; the first pair without a length ends it, and no block may follow then. The pax form 1.0 has decimal lines, see
 * `sparse-records.ts`.
 * Source: tar.h of GNU tar; GNU tar manual, "Sparse Formats".
 */
import { BLOCK } from './block.ts';
import { malformed, overLimit } from './error.ts';
import type { Field } from './header.ts';
import { decodeNumber } from './number-field.ts';
import { SparseMap } from './sparse-map.ts';

/** One place for pairs: where they start, how many there are, where the flag for another block is. */
export interface PairBlock {
  readonly start: number;
  readonly count: number;
  readonly flag: number;
}
export const IN_HEADER: PairBlock = { start: 386, count: 4, flag: 482 };
export const IN_EXTENSION: PairBlock = { start: 0, count: 21, flag: 504 };
/** The size with holes, in the header. */
export const REAL_SIZE: Field = [483, 12];

/** Add the pairs of a block to the map; true when another block follows. */
export function readPairs(block: Buffer, { start, count, flag }: PairBlock, map: SparseMap): boolean {
  for (let i = 0; i < count; i++) {
    const at = start + 24 * i;
    if (block[at + 12] === 0) {
      if (block[flag] !== 0) throw malformed('sparse map', 'no block behind its end');
      return false;
    }
    const offset = decodeNumber(block, at, 12);
    const length = decodeNumber(block, at + 12, 12);
    if (offset === undefined || length === undefined || offset < 0 || length < 0) {
      throw malformed('sparse map', 'an offset and a length', block.toString('latin1', at, at + 24));
    }
    map.add(offset, length);
  }
  return block[flag] !== 0;
}

const NEWLINE = 0x0a;
/** Of the largest number that is exact. */
const DIGITS = 16;

/** Reads the lines of form 1.0, block by block. */
export class SparseLines {
  readonly map: SparseMap;
  readonly #limit: number;
  /** Numbers still to come; undefined before their count is known. */
  #left: number | undefined;
  #offset: number | undefined;
  #value = 0;
  #digits = 0;

  constructor(limit: number) {
    this.map = new SparseMap(limit);
    this.#limit = limit;
  }

  /** Take a block; true when the map is complete, and the data begin behind this block. */
  add(block: Uint8Array): boolean {
    for (let i = 0; i < BLOCK && this.#left !== 0; i++) {
      const byte = block[i] ?? 0;
      if (byte === NEWLINE && this.#digits > 0) this.#take();
      else if (byte >= 0x30 && byte <= 0x39 && this.#digits < DIGITS) this.#digit(byte - 0x30);
      else throw malformed('sparse map', 'decimal numbers on lines', String.fromCharCode(byte));
    }
    return this.#left === 0;
  }

  #digit(digit: number): void {
    this.#value = this.#value * 10 + digit;
    this.#digits++;
  }

  #take(): void {
    const value = this.#value;
    this.#value = 0;
    this.#digits = 0;
    if (!Number.isSafeInteger(value)) throw malformed('sparse map', 'a number', value);
    if (this.#left === undefined) {
      if (value > this.#limit) throw overLimit('sparse map', this.#limit, 'parts');
      this.#left = 2 * value;
      return;
    }
    this.#left--;
    if (this.#offset === undefined) {
      this.#offset = value;
      return;
    }
    this.map.add(this.#offset, value);
    this.#offset = undefined;
  }
}
