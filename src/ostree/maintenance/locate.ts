/** Where broken objects are needed: which commits, and where in them. Walked only when something was found. */
import type { Checksum } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';
import type { DirTree } from '../objects/dirtree.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { FindingUser } from './finding.ts';

/** One more in each commit helps nobody. */
const MOST_USERS = 20;
/** Deeper directories have no path that Linux would take. */
const DEEPEST = 4096;

/** For each object, by `CHECKSUM.TYPE`, the commits that need it with the first path of each, and all such commits. */
export interface Located {
  readonly users: ReadonlyMap<string, readonly FindingUser[]>;
  readonly commits: ReadonlyMap<string, ReadonlySet<Checksum>>;
}

export function keyOf(checksum: Checksum, type: string): string {
  return `${checksum}.${type}`;
}

/** @param wanted keys of the broken objects. @param reader one that gives empty directories for broken ones */
export function locate(
  reader: ObjectReader,
  commits: ReadonlyMap<Checksum, Commit | undefined>,
  wanted: ReadonlySet<string>,
): Located {
  const finder = new Finder(reader, wanted);
  const users = new Map<string, FindingUser[]>();
  const owners = new Map<string, Set<Checksum>>();
  for (const [checksum, commit] of commits) {
    for (const [key, path] of finder.inCommit(checksum, commit)) {
      const known = users.get(key) ?? [];
      if (known.length < MOST_USERS) users.set(key, [...known, { commit: checksum, path }]);
      owners.set(key, (owners.get(key) ?? new Set()).add(checksum));
    }
  }
  return { users, commits: owners };
}

/** Keys of broken objects below a directory, with a path relative to it: `''` for the directory itself. */
type Below = ReadonlyMap<string, string>;

class Finder {
  readonly #reader: ObjectReader;
  readonly #wanted: ReadonlySet<string>;
  readonly #known = new Map<Checksum, Below>();

  constructor(reader: ObjectReader, wanted: ReadonlySet<string>) {
    this.#reader = reader;
    this.#wanted = wanted;
  }

  *inCommit(checksum: Checksum, commit: Commit | undefined): Generator<readonly [key: string, path: string]> {
    const own = keyOf(checksum, 'commit');
    if (this.#wanted.has(own)) yield [own, '/'];
    if (commit === undefined) return;
    const meta = keyOf(commit.rootMeta, 'dirmeta');
    if (this.#wanted.has(meta)) yield [meta, '/'];
    for (const [key, path] of this.#below(commit.rootTree)) if (key !== meta) yield [key, path === '' ? '/' : path];
  }

  /** Each directory is looked at once, whatever number of commits share it. */
  #below(tree: Checksum, depth = 0): Below {
    const known = this.#known.get(tree);
    if (known !== undefined) return known;
    const found = new Map<string, string>();
    this.#known.set(tree, found); // a tree cannot hold itself: it would have to know its own checksum
    const add = (key: string, path: string): void => {
      if (this.#wanted.has(key) && !found.has(key)) found.set(key, path);
    };
    add(keyOf(tree, 'dirtree'), '');
    if (depth > DEEPEST) return found;
    const contents: DirTree = this.#reader.dirTree(tree);
    for (const { name, checksum } of contents.files) add(keyOf(checksum, 'file'), `/${name}`);
    for (const directory of contents.directories) {
      add(keyOf(directory.meta, 'dirmeta'), `/${directory.name}`);
      for (const [key, path] of this.#below(directory.tree, depth + 1)) add(key, `/${directory.name}${path}`);
    }
    return found;
  }
}
