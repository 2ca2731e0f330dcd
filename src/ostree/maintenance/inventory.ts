/** Which objects lie in a repository: one look into each two-digit directory, and at no file. */
import fs from 'node:fs';
import type { Checksum } from '../objects/checksum.ts';
import { type AnyType, parseObjectName } from '../objects/object-type.ts';
import type { Repository } from '../repository/repository.ts';

const TYPES: readonly AnyType[] = [
  'commit',
  'dirtree',
  'dirmeta',
  'file',
  'commitmeta',
  'tombstone-commit',
  'payload-link',
  'file-xattrs',
  'file-xattrs-link',
];

export class Inventory {
  /** Paths of temporary files below `objects/`; see `isUnfinished`. */
  readonly unfinished: string[] = [];
  readonly #byType: ReadonlyMap<AnyType, Set<Checksum>> = new Map(TYPES.map((type) => [type, new Set<Checksum>()]));

  add(checksum: Checksum, type: AnyType): void {
    this.#byType.get(type)?.add(checksum);
  }

  remove(checksum: Checksum, type: AnyType): boolean {
    return this.#byType.get(type)?.delete(checksum) ?? false;
  }

  of(type: AnyType): ReadonlySet<Checksum> {
    return this.#byType.get(type) ?? new Set();
  }

  /** Of the kinds that make up commits; what lies beside them is not counted. */
  get size(): number {
    return this.of('commit').size + this.of('dirtree').size + this.of('dirmeta').size + this.of('file').size;
  }
}

/**
 * What a killed run of ours was writing. libostree, taking over our staging directory, moves it along with the objects;
 * nobody has it open where the repository is locked exclusively.
 */
function isUnfinished(name: string): boolean {
  return name.startsWith('.new-');
}

/** Of the repository itself, not of its parents. What is no object is not looked at. */
export function readInventory(repository: Repository): Inventory {
  const inventory = new Inventory();
  const root = `${repository.root}/objects`;
  for (const fanout of fs.readdirSync(root)) {
    if (!/^[0-9a-f]{2}$/.test(fanout)) continue;
    for (const name of fs.readdirSync(`${root}/${fanout}`)) {
      const object = parseObjectName(fanout, name);
      if (object !== undefined) inventory.add(object.checksum, object.type);
      else if (isUnfinished(name)) inventory.unfinished.push(`${fanout}/${name}`);
    }
  }
  return inventory;
}
