import { buildSuffixArray } from './suffix-array.ts';

/** Bytes that the filter looks at. */
export const GRAM = 8;
const PAIRS = 65536;
/** No smaller filter: it is nothing beside the buckets. */
const SMALLEST_FILTER = 4096;

/**
 * Finds the longest stretch of an old file that is equal to what starts somewhere in a new one.
 *
 * Three stages. A set of all eight-byte sequences of the old file, four to eight bits a byte, answers most questions with
 * no after one access. A table of the suffixes by their first two bytes bounds the search, and a binary search over the
 * suffix array compares no byte twice that both neighbours are known to share.
 */
export class MatchIndex {
  /** Where the last match found starts in the old file. */
  position = 0;
  /** The length of the last match found. */
  length = 0;
  readonly #old: Uint8Array;
  readonly #suffixes: Int32Array;
  readonly #pairs: Int32Array;
  readonly #filter: Uint8Array;
  readonly #shift: number;

  constructor(old: Uint8Array) {
    this.#old = old;
    this.#suffixes = buildSuffixArray(old);
    this.#pairs = pairStarts(old);
    this.#filter = new Uint8Array(filterSize(old.length));
    this.#shift = Math.clz32(this.#filter.length) - 2; // as many bits of a hash as number the bits of the filter
    this.#fillFilter();
  }

  /** Bytes of memory that an index over a file of this size takes. */
  static memory(size: number): number {
    return 4 * size + filterSize(size) + 4 * (PAIRS + 1);
  }

  /** Whether the eight bytes at `at` may occur in the old file: no is certain, yes is a guess. */
  mayContain(bytes: Uint8Array, at: number): boolean {
    const bit = hash(fourBytes(bytes, at), fourBytes(bytes, at + 4)) >>> this.#shift;
    return (((this.#filter[bit >>> 3] as number) >> (bit & 7)) & 1) === 1;
  }

  /** Set `position` and `length` to the longest match of what starts at `start`, which is two bytes at least. */
  find(bytes: Uint8Array, start: number): void {
    const old = this.#old;
    const suffixes = this.#suffixes;
    const pair = ((bytes[start] as number) << 8) | (bytes[start + 1] as number);
    let low = this.#pairs[pair] as number;
    let high = this.#pairs[pair + 1] as number;
    let sharedLow = 2;
    let sharedHigh = 2;
    this.length = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const suffix = suffixes[middle] as number;
      let shared = sharedLow < sharedHigh ? sharedLow : sharedHigh;
      const limit = Math.min(old.length - suffix, bytes.length - start);
      while (shared < limit && old[suffix + shared] === bytes[start + shared]) shared++;
      if (shared > this.length) {
        this.length = shared;
        this.position = suffix;
      }
      if (start + shared === bytes.length) return;
      if (shared === old.length - suffix || (old[suffix + shared] as number) < (bytes[start + shared] as number)) {
        low = middle + 1;
        sharedLow = shared;
      } else {
        high = middle;
        sharedHigh = shared;
      }
    }
  }

  #fillFilter(): void {
    const old = this.#old;
    const filter = this.#filter;
    const shift = this.#shift;
    if (old.length < GRAM) return;
    let first = fourBytes(old, 0);
    let second = fourBytes(old, 4);
    for (let next = GRAM; ; next++) {
      const bit = hash(first, second) >>> shift;
      filter[bit >>> 3] = (filter[bit >>> 3] as number) | (1 << (bit & 7));
      if (next >= old.length) return;
      first = (first << 8) | (old[next - 4] as number);
      second = (second << 8) | (old[next] as number);
    }
  }
}

function fourBytes(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** The upper bits depend on all of both words. */
function hash(first: number, second: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ second;
  return Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
}

/** The largest power of two that does not exceed one byte a byte; at most 2^29, for bits are numbered with 32. */
function filterSize(size: number): number {
  return 2 ** Math.min(29, Math.max(Math.log2(SMALLEST_FILTER), 31 - Math.clz32(size)));
}

/** For every pair of bytes, where the suffixes that start with it start in the suffix array; and their end. */
function pairStarts(old: Uint8Array): Int32Array {
  const starts = new Int32Array(PAIRS + 1);
  for (let i = 1; i < old.length; i++) {
    const next = (((old[i - 1] as number) << 8) | (old[i] as number)) + 1;
    starts[next] = (starts[next] as number) + 1;
  }
  // the last byte is a suffix without a pair: it comes before all pairs that start with it
  const alone = (old[old.length - 1] ?? 0) << 8;
  let sum = 0;
  for (let pair = 0; pair <= PAIRS; pair++) {
    sum += starts[pair] as number;
    if (pair === alone && old.length > 0) sum++;
    starts[pair] = sum;
  }
  return starts;
}
