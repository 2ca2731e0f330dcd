/**
 * A directory tree in the making, on metadata alone: names, checksums of files, checksums of directory attributes.
 * What comes from a commit is read when it is looked at, and what was not changed is not written again.
 */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';
import { type DirectoryEntry, encodeDirTree, type FileEntry, isFileName } from '../objects/dirtree.ts';
import { compareNames } from '../objects/order.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { MetadataWriter } from './tally.ts';

/** The two checksums that a tree is known by. */
export type Root = Pick<Commit, 'rootTree' | 'rootMeta'>;

/** A file or symbolic link by the checksum of its object, or a directory. */
export type TreeEntry = Checksum | MutableTree;

/** When a file is in the place of a directory, or the reverse: an error, as in libostree, or the later one wins. */
export type OnConflict = 'refuse' | 'replace';

/** Directories below each other: as many as fit into the longest path that Linux takes in one call. */
const DEEPEST = 2048;

interface Origin {
  readonly reader: ObjectReader;
  readonly tree: Checksum;
}

export class MutableTree {
  /** What it was made from, if anything. */
  readonly #origin: Origin | undefined;
  /** Undefined: not looked at yet, and therefore what `#origin` says. */
  #entries: Map<string, TreeEntry> | undefined;
  #meta: Checksum | undefined;
  /** The names themselves were changed; directories below tell for themselves. */
  #isChanged = false;

  private constructor(origin: Origin | undefined, meta: Checksum | undefined) {
    this.#origin = origin;
    this.#entries = origin === undefined ? new Map() : undefined;
    this.#meta = meta;
  }

  /** No names, and no attributes yet: they are set before it is written. */
  static empty(): MutableTree {
    return new MutableTree(undefined, undefined);
  }

  /** The tree of a commit. @param reader finds its metadata for as long as the tree is used */
  static of(reader: ObjectReader, { rootTree, rootMeta }: Root): MutableTree {
    return new MutableTree({ reader, tree: rootTree }, rootMeta);
  }

  /** Checksum of the directory's own attributes. */
  get meta(): Checksum | undefined {
    return this.#meta;
  }

  setMeta(meta: Checksum): void {
    this.#meta = meta;
  }

  get isEmpty(): boolean {
    return this.#load().size === 0;
  }

  /** What is directly in this directory. @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED, as all that looks inside */
  child(name: string): TreeEntry | undefined {
    return this.#load().get(name);
  }

  /** What a path leads to; no components are this directory. Symbolic links are not followed. */
  lookup(path: readonly string[]): TreeEntry | undefined {
    let at: TreeEntry | undefined = this;
    for (const name of path) {
      if (!(at instanceof MutableTree)) return undefined;
      at = at.child(name);
    }
    return at;
  }

  /** The same when it is a directory. */
  directory(path: readonly string[]): MutableTree | undefined {
    const found = this.lookup(path);
    return found instanceof MutableTree ? found : undefined;
  }

  /** Names and what they stand for, in the order of the format. */
  *entries(): Generator<readonly [name: string, entry: TreeEntry]> {
    yield* [...this.#load()].sort(([a], [b]) => compareNames(a, b));
  }

  /** @throws OstreeError TARGET_EXISTS when a directory is in its place, FILE_NAME */
  putFile(name: string, file: Checksum, onConflict: OnConflict = 'refuse'): void {
    if (onConflict === 'refuse' && this.child(name) instanceof MutableTree) throw inTheWay(name, 'directory');
    this.#set(name, file);
  }

  /** The directory of this name, an empty one if there was none. @throws OstreeError TARGET_EXISTS, FILE_NAME */
  ensureDirectory(name: string, onConflict: OnConflict = 'refuse'): MutableTree {
    const existing = this.child(name);
    if (existing instanceof MutableTree) return existing;
    if (existing !== undefined && onConflict === 'refuse') throw inTheWay(name, 'file');
    const made = MutableTree.empty();
    this.#set(name, made);
    return made;
  }

  /** Put an entry that was made elsewhere, instead of whatever is there. A directory must not be in two places. */
  attach(name: string, entry: TreeEntry): void {
    this.#set(name, entry);
  }

  /** Remove, and return what was removed: for `attach` elsewhere. */
  take(name: string): TreeEntry | undefined {
    const entry = this.child(name);
    if (entry !== undefined) {
      this.#load().delete(name);
      this.#isChanged = true;
    }
    return entry;
  }

  /** False when there was nothing of this name. */
  remove(name: string): boolean {
    return this.take(name) !== undefined;
  }

  /** Remove everything in it; its own attributes stay. */
  clear(): void {
    this.#entries = new Map();
    this.#isChanged = true;
  }

  /**
   * Put another tree on top: its names are added, its files and the attributes of its directories replace those that
   * are there. The other one is used up. @throws OstreeError TARGET_EXISTS, TOO_LARGE
   */
  merge(other: MutableTree, onConflict: OnConflict = 'refuse'): void {
    this.#merge(other, onConflict, 0);
  }

  #merge(other: MutableTree, onConflict: OnConflict, depth: number): void {
    assertDepth(depth);
    if (other.#meta !== undefined) this.#meta = other.#meta;
    for (const [name, entry] of other.#load()) {
      const existing = this.child(name);
      if (existing instanceof MutableTree && entry instanceof MutableTree)
        existing.#merge(entry, onConflict, depth + 1);
      else if (existing !== undefined && onConflict === 'refuse') this.#replaceAlike(name, existing, entry);
      else this.#set(name, entry);
    }
  }

  /**
   * Write what was changed, the deepest first.
   * @throws OstreeError PATH_MISSING for a directory without attributes, TOO_LARGE for one below too many others
   */
  write(writer: MetadataWriter): Root {
    return this.#write(writer, []);
  }

  #write(writer: MetadataWriter, path: string[]): Root {
    if (this.#meta === undefined) throw withoutAttributes(path);
    assertDepth(path.length);
    return { rootTree: this.#writeNames(writer, path), rootMeta: this.#meta };
  }

  #writeNames(writer: MetadataWriter, path: string[]): Checksum {
    const origin = this.#origin?.tree;
    if (origin !== undefined && this.#entries === undefined) return origin;
    const files: FileEntry[] = [];
    const directories: DirectoryEntry[] = [];
    for (const [name, entry] of this.#load()) {
      if (typeof entry === 'string') {
        files.push({ name, checksum: entry });
        continue;
      }
      path.push(name);
      const { rootTree, rootMeta } = entry.#write(writer, path);
      path.pop();
      directories.push({ name, tree: rootTree, meta: rootMeta });
    }
    if (origin !== undefined && !this.#isChanged && !this.#differs(directories)) return origin;
    return writer.putMetadata('dirtree', encodeDirTree({ files, directories })).checksum;
  }

  /** Is a directory below another one than it was? */
  #differs(directories: readonly DirectoryEntry[]): boolean {
    const before = new Map(this.#readOrigin().directories.map((entry) => [entry.name, entry]));
    return directories.some(({ name, tree, meta }) => {
      const was = before.get(name);
      return was?.tree !== tree || was.meta !== meta;
    });
  }

  #replaceAlike(name: string, existing: TreeEntry, entry: TreeEntry): void {
    if (typeof existing !== typeof entry) throw inTheWay(name, typeof existing === 'string' ? 'file' : 'directory');
    this.#set(name, entry);
  }

  #set(name: string, entry: TreeEntry): void {
    if (!isFileName(name)) throw new OstreeError('FILE_NAME', `${quote(name)} is not a file name`, { subject: name });
    this.#load().set(name, entry);
    this.#isChanged = true;
  }

  #load(): Map<string, TreeEntry> {
    if (this.#entries === undefined) {
      const { files, directories } = this.#readOrigin();
      const reader = this.#origin?.reader;
      const entries = new Map<string, TreeEntry>(files.map(({ name, checksum }) => [name, checksum]));
      for (const { name, tree, meta } of directories) {
        entries.set(name, new MutableTree(reader && { reader, tree }, meta));
      }
      this.#entries = entries;
    }
    return this.#entries;
  }

  #readOrigin() {
    if (this.#origin === undefined) return { files: [], directories: [] };
    return this.#origin.reader.dirTree(this.#origin.tree);
  }
}

/** Of what others made: a deeper tree would end the walk through it in a way of its own. @throws OstreeError TOO_LARGE */
export function assertDepth(depth: number): void {
  if (depth > DEEPEST) throw new OstreeError('TOO_LARGE', `more than ${DEEPEST} directories below each other`);
}

function inTheWay(name: string, what: 'file' | 'directory'): OstreeError {
  const other = what === 'file' ? 'directory' : 'file';
  return new OstreeError('TARGET_EXISTS', `${quote(name)}: a ${what} is where a ${other} is to be`, { subject: name });
}

function withoutAttributes(path: readonly string[]): OstreeError {
  const shown = `/${path.join('/')}`;
  return new OstreeError('PATH_MISSING', `${quote(shown)}: nothing says owner and mode of this directory`, {
    hint: 'an archive lists each directory before what is in it; --tar-autocreate-parents makes those that are missing',
    subject: shown,
  });
}
