/**
 * The tree of a commit, as programs would see it that run in it: paths lead through symbolic links, `/etc` is where
 * OSTree keeps it, in `/usr/etc`, and `/bin` in `/usr/bin` where the link to it is made at boot. Each directory object is decoded once, however often it is in the tree.
 */
import type { Checksum, Commit, ObjectReader, StoredFile } from '../../../ostree/index.ts';
import { PackingError } from '../error.ts';
import { pushAll } from './stack.ts';

export interface Folder {
  /** Absolute, without a slash at its end: the root is the empty text. */
  readonly path: string;
  readonly files: ReadonlyMap<string, Checksum>;
  /** Names and their dirtrees. */
  readonly folders: ReadonlyMap<string, Checksum>;
}

interface Facts {
  readonly size: number;
  readonly target: string | undefined;
}

type Names = Pick<Folder, 'files' | 'folders'>;

/** As many as the kernel follows. */
const LINK_LIMIT = 40;
/** PATH_MAX: what is longer names nothing. */
const PATH_LIMIT = 4096;
/** Directories below each other, as elsewhere in this project. */
const DEEPEST = 2048;
/** Of a folder's path: two hundred names, each as long as names can be. */
const LONGEST = 65_536;
/** Names on the way of all paths together, thirty times what a large distribution needs; a few seconds. */
const MOST_STEPS = 20_000_000;
/** Where what a tree does not have at its root has been moved to: `/usr/etc` by OSTree, the others by distributions. */
const MOVED: ReadonlySet<string> = new Set(['etc', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']);

export class CommitTree {
  readonly #reader: ObjectReader;
  readonly #root: Checksum;
  readonly #names = new Map<Checksum, Names>();
  readonly #facts = new Map<Checksum, Facts>();
  readonly #folders = new Map<string, Folder | undefined>();
  #steps = 0;

  constructor(reader: ObjectReader, commit: Pick<Commit, 'rootTree'>) {
    this.#reader = reader;
    this.#root = commit.rootTree;
  }

  /** Links on the way are followed, also at the end. @throws PackingError TOO_LARGE after too many paths of any kind */
  folder(path: string): Folder | undefined {
    if (!this.#folders.has(path)) this.#folders.set(path, this.#find(path));
    return this.#folders.get(path);
  }

  /** The file or link that a path names; links on the way are followed, not the last one. */
  file(path: string): Checksum | undefined {
    const [parent, name] = splitLast(path);
    return this.folder(parent)?.files.get(name);
  }

  /** The file that a path leads to; all links are followed. */
  regular(path: string): Checksum | undefined {
    let at = path;
    for (let links = 0; links <= LINK_LIMIT; links++) {
      const [parent, name] = splitLast(at);
      const folder = this.folder(parent);
      const checksum = folder?.files.get(name);
      if (folder === undefined || checksum === undefined) return undefined;
      const { target } = this.#factsOf(checksum);
      if (target === undefined) return checksum;
      at = target.startsWith('/') ? target : `${folder.path}/${target}`;
    }
    return undefined;
  }

  /** The content that a path leads to; the caller closes it. Undefined when there is no such file. */
  open(path: string): StoredFile | undefined {
    const checksum = this.regular(path);
    return checksum === undefined ? undefined : this.#reader.file(checksum);
  }

  /** Of the content; 0 for links. @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED, as all that reads */
  size(checksum: Checksum): number {
    return this.#factsOf(checksum).size;
  }

  /** Every directory object once, at the first path where it is; a directory before those below it. */
  *walk(): Generator<Folder> {
    const seen = new Set<Checksum>();
    const open = [{ path: '', tree: this.#root, depth: 0 }];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at.tree)) continue;
      seen.add(at.tree);
      const { path, depth } = at;
      if (path.length > LONGEST) throw new PackingError('TOO_LARGE', `a path of more than ${LONGEST} characters`);
      if (depth > DEEPEST) throw new PackingError('TOO_LARGE', `more than ${DEEPEST} directories below each other`);
      const folder = this.#folderOf(path, at.tree);
      yield folder;
      const below = [...folder.folders].map(([name, tree]) => ({ path: `${path}/${name}`, tree, depth: depth + 1 }));
      pushAll(open, below);
    }
  }

  #find(path: string): Folder | undefined {
    if (path.length > PATH_LIMIT) return undefined;
    const trail = [this.#folderOf('', this.#root)];
    const left = path.split('/').reverse();
    let links = 0;
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      if (++this.#steps > MOST_STEPS) throw new PackingError('TOO_LARGE', `paths of more than ${MOST_STEPS} names`);
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const below = this.#below(trail.at(-1), name);
      if (below === undefined) return undefined;
      if (typeof below !== 'string') {
        trail.push(below);
        continue;
      }
      if (++links > LINK_LIMIT || below.length > PATH_LIMIT) return undefined;
      if (below.startsWith('/')) trail.length = 1;
      left.push(...below.split('/').reverse());
    }
    return trail.at(-1);
  }

  /** A folder, or where a link leads to. */
  #below(folder: Folder | undefined, name: string): Folder | string | undefined {
    const tree = folder?.folders.get(name);
    if (tree !== undefined) return this.#folderOf(`${folder?.path}/${name}`, tree);
    const file = folder?.files.get(name);
    if (file !== undefined) return this.#factsOf(file).target;
    return folder?.path === '' && MOVED.has(name) ? `/usr/${name}` : undefined;
  }

  #folderOf(path: string, tree: Checksum): Folder {
    let names = this.#names.get(tree);
    if (names === undefined) {
      const { files, directories } = this.#reader.dirTree(tree);
      names = {
        files: new Map(files.map(({ name, checksum }) => [name, checksum])),
        folders: new Map(directories.map((directory) => [directory.name, directory.tree])),
      };
      this.#names.set(tree, names);
    }
    return { path, ...names };
  }

  #factsOf(checksum: Checksum): Facts {
    let facts = this.#facts.get(checksum);
    if (facts === undefined) {
      const stored = this.#reader.file(checksum);
      stored.close();
      facts = { size: stored.size, target: stored.header.target };
      this.#facts.set(checksum, facts);
    }
    return facts;
  }
}

function splitLast(path: string): readonly [parent: string, name: string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)];
}
