/**
 * An rpm header, as the database holds one for each package.
 *
 * Shape: two numbers, entries in the index and bytes in the store; the index, entries of four numbers (tag, type,
 * offset in the store, count); the store. All numbers big-endian, 32 bits. Texts end in NUL. Of a tag that comes twice
 * the first counts. Source: "Package format" of the rpm reference, "Header"; no magic number before it in a database.
 */
import { decodeUtf8 } from '../../../../base/decode.ts';
import { damaged } from '../../error.ts';

export const RPM_TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  buildTime: 1006,
  architecture: 1022,
  fileStates: 1029,
  fileFlags: 1037,
  sourceRpm: 1044,
  changelogTime: 1080,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
} as const;

const [INT8, INT32, STRING, STRING_ARRAY, CHAR] = [2, 4, 6, 8, 1];
const ENTRY = 16;
/** rpm's own limit is 65535 as well. */
const MOST_TAGS = 0xffff;

/** Of one tag: ten times the files of the largest package. */
const MOST_VALUES = 2_000_000;

interface Entry {
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

export class RpmHeader {
  readonly #store: Buffer;
  readonly #entries: ReadonlyMap<number, Entry>;
  readonly #what: string;

  constructor(store: Buffer, entries: ReadonlyMap<number, Entry>, what: string) {
    this.#store = store;
    this.#entries = entries;
    this.#what = what;
  }

  /** Undefined when there is no such tag; a value of another type is an error, here and below. */
  text(tag: number): string | undefined {
    return this.#has(tag) ? this.#texts(tag, STRING)[0] : undefined;
  }

  /** Empty when there is no such tag. What is no UTF-8 is the empty text: no commit has such a name. */
  texts(tag: number): readonly string[] {
    return this.#has(tag) ? this.#texts(tag, STRING_ARRAY) : [];
  }

  numbers(tag: number): readonly number[] {
    return this.#has(tag) ? this.#numbers(tag, [INT32], 4, (at) => this.#store.readUInt32BE(at)) : [];
  }

  bytes(tag: number): readonly number[] {
    return this.#has(tag) ? this.#numbers(tag, [INT8, CHAR], 1, (at) => this.#store.readUInt8(at)) : [];
  }

  #has(tag: number): boolean {
    return this.#entries.has(tag);
  }

  #numbers(tag: number, types: readonly number[], width: number, read: (at: number) => number): number[] {
    const { offset, count } = this.#entry(tag, types);
    if (count > MOST_VALUES) throw this.#tooMany(tag);
    if (offset + count * width > this.#store.length) throw this.#outside(tag);
    return Array.from({ length: count }, (_, i) => read(offset + i * width));
  }

  #texts(tag: number, type: number): string[] {
    const { offset, count } = this.#entry(tag, [type]);
    if (count > MOST_VALUES) throw this.#tooMany(tag);
    if (count > this.#store.length - offset) throw this.#outside(tag); // each ends in a byte of its own
    const texts: string[] = [];
    for (let at = offset; texts.length < count; ) {
      const end = this.#store.indexOf(0, at);
      if (end < 0) throw this.#outside(tag);
      texts.push(decodeUtf8(this.#store.subarray(at, end)) ?? '');
      at = end + 1;
    }
    return texts;
  }

  #entry(tag: number, types: readonly number[]): Entry {
    const entry = this.#entries.get(tag) ?? { type: 0, offset: 0, count: 0 };
    if (!types.includes(entry.type)) {
      throw damaged(`${this.#what} tag ${tag}`, `type ${types.join(' or ')}`, `${entry.type}`);
    }
    return entry;
  }

  #tooMany(tag: number) {
    return damaged(`${this.#what} tag ${tag}`, `at most ${MOST_VALUES} values`, 'more');
  }

  #outside(tag: number) {
    return damaged(`${this.#what} tag ${tag}`, 'a value inside of the header', 'one that ends behind it');
  }
}

/** @throws PackingError PACKAGE_DATABASE; values are judged when they are asked for */
export function decodeRpmHeader(blob: Uint8Array, what: string): RpmHeader {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.length);
  if (bytes.length < 8) throw damaged(what, 'a header', `${bytes.length} bytes`);
  const [tags, size] = [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  const begin = 8 + ENTRY * tags;
  if (tags > MOST_TAGS || begin + size !== bytes.length) {
    throw damaged(what, `${tags} tags and ${size} bytes of values`, `${bytes.length} bytes together`);
  }
  const entries = new Map<number, Entry>();
  for (let at = 8; at < begin; at += ENTRY) {
    const tag = bytes.readUInt32BE(at);
    const entry = {
      type: bytes.readUInt32BE(at + 4),
      offset: bytes.readUInt32BE(at + 8),
      count: bytes.readUInt32BE(at + 12),
    };
    // Offsets of regions may be negative; none of those tags is read here.
    if (!entries.has(tag)) entries.set(tag, entry);
  }
  return new RpmHeader(bytes.subarray(begin), entries, what);
}
