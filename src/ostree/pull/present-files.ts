/**
 * Which files are in the repository, for tens of thousands of questions: a directory of objects is listed once instead
 * of one lstat for each name. A snapshot: what others store meanwhile is fetched once more, and nobody deletes while
 * we hold the lock.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { type ObjectPlace, ObjectReader, placePath } from '../storage/object-reader.ts';

/** Larger directories are not kept in memory: 256 of these take some 60 MB. */
const LISTED = 2000;

export class PresentFiles {
  readonly #places: readonly ObjectPlace[];
  readonly #reader: ObjectReader;
  readonly #fanouts = new Map<string, ReadonlySet<string> | undefined>();

  constructor(places: readonly ObjectPlace[]) {
    this.#places = places;
    this.#reader = new ObjectReader(places);
  }

  has(checksum: Checksum): boolean {
    const digits = checksum.slice(0, 2);
    if (!this.#fanouts.has(digits)) this.#fanouts.set(digits, this.#list(checksum));
    const names = this.#fanouts.get(digits);
    return names === undefined ? this.#reader.has(checksum, 'file') : names.has(checksum);
  }

  /** Undefined when there are too many. */
  #list(checksum: Checksum): ReadonlySet<string> | undefined {
    const found = new Set<string>();
    for (const { path, mode } of this.#places) {
      const example = placePath(path, mode, checksum, 'file');
      const directory = example.slice(0, example.lastIndexOf('/'));
      const extension = example.slice(example.lastIndexOf('.'));
      const names = namesIn(directory);
      if (names.length > LISTED) return undefined;
      const digits = checksum.slice(0, 2);
      for (const name of names) {
        if (name.endsWith(extension)) found.add(digits + name.slice(0, -extension.length));
      }
    }
    return found;
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
