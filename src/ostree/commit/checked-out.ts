/**
 * Files that are hard links to objects of the repository, as a checkout makes them: their checksum is known without
 * reading them.
 */
import fs from 'node:fs';
import type { Checksum } from '../objects/checksum.ts';
import type { FileHeader } from '../objects/file-header.ts';
import { parseObjectName } from '../objects/object-type.ts';
import type { Repository } from '../repository/repository.ts';
import { type ObjectPlace, ObjectReader, placesOf } from '../storage/object-reader.ts';

export interface KnownObject {
  readonly checksum: Checksum;
  /** As the object was stored, whatever the mode of the repository. */
  readonly header: FileHeader;
  /** No modifier applies. */
  readonly isTrusted: boolean;
}

export class CheckedOut {
  readonly #reader: ObjectReader;
  readonly #objects: ReadonlyMap<string, Checksum>;
  readonly #isTrusted: boolean;

  private constructor(places: readonly ObjectPlace[], isTrusted: boolean) {
    this.#reader = new ObjectReader(places);
    this.#objects = new Map(places.flatMap((place) => [...linkedObjects(place)]));
    this.#isTrusted = isTrusted;
  }

  /** Looks at every object. @param isTrusted modifiers do not apply to what is found (`--devino-canonical`) */
  static of(repository: Repository, isTrusted = false): CheckedOut {
    return new CheckedOut(placesOf(repository), isTrusted);
  }

  /**
   * Undefined for a file that is not one, or was changed in place: objects have no time, and writing sets one. (Links
   * have, but nobody can write to them.)
   */
  find(stats: fs.Stats): KnownObject | undefined {
    if (stats.nlink < 2 || (stats.isFile() ? stats.mtimeMs !== 0 : !stats.isSymbolicLink())) return undefined;
    const checksum = this.#objects.get(keyOf(stats));
    if (checksum === undefined) return undefined;
    const stored = this.#reader.file(checksum);
    stored.close();
    return { checksum, header: stored.header, isTrusted: this.#isTrusted };
  }
}

/** Archives keep nothing that could be linked to. */
function* linkedObjects({ path, mode }: ObjectPlace): Generator<[key: string, checksum: Checksum]> {
  if (mode === 'archive') return;
  for (const fanout of fs.readdirSync(path).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
    for (const name of fs.readdirSync(`${path}/${fanout}`)) {
      const object = parseObjectName(fanout, name);
      if (object?.type !== 'file') continue;
      const stats = fs.lstatSync(`${path}/${fanout}/${name}`, { throwIfNoEntry: false });
      if (stats !== undefined && stats.nlink > 1 && Number.isSafeInteger(stats.ino)) {
        yield [keyOf(stats), object.checksum];
      }
    }
  }
}

function keyOf({ dev, ino }: fs.Stats): string {
  return `${dev}:${ino}`;
}
