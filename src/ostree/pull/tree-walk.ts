/**
 * What a tree still needs, found while it is received: directories that are there are walked on the disk, the others
 * when they have come. A directory that the complete commit before has at the same place is not looked into at all.
 */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { type DirTree, decodeDirTree } from '../objects/dirtree.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { Selection } from './subpath.ts';

/** A directory to be looked into. */
export interface TreeWant {
  readonly tree: Checksum;
  readonly selection: Selection;
  /** The directory of the same path in a commit that is complete here. */
  readonly before: Checksum | undefined;
}

export class TreeWalk {
  readonly trees: TreeWant[] = [];
  readonly metas: Checksum[] = [];
  readonly files: Checksum[] = [];
  readonly #reader: ObjectReader;
  readonly #seenTrees = new Set<Checksum>();
  readonly #seen = new Set<Checksum>();

  /** @param reader for the trees of commits before */
  constructor(reader: ObjectReader) {
    this.#reader = reader;
  }

  /** Names seen so far. */
  get known(): number {
    return this.#seen.size + this.#seenTrees.size;
  }

  /** The tree of a commit; `before` the root of one that is complete. */
  root(tree: Checksum, meta: Checksum, selection: Selection, before: Checksum | undefined): void {
    this.#meta(meta);
    this.#tree({ tree, selection, before });
  }

  /** A file that is known to be needed without any tree: a fallback of a delta. */
  file(checksum: Checksum): void {
    if (this.#seen.has(checksum)) return;
    this.#seen.add(checksum);
    this.files.push(checksum);
  }

  /** Its content has come, or was there. @throws OstreeError OBJECT_MALFORMED, PATH_MISSING */
  enter({ tree, selection, before }: TreeWant, bytes: Uint8Array): void {
    const contents = decodeDirTree(bytes, `dirtree ${tree}`);
    if (selection !== 'all') assertNames(contents, selection);
    const known = before === undefined ? undefined : this.#known(before);
    for (const { name, checksum } of contents.files) {
      if (selection !== 'all' && !selection.has(name)) continue;
      if (known?.files.get(name) !== checksum) this.file(checksum);
    }
    for (const { name, tree: child, meta } of contents.directories) {
      const below = selection === 'all' ? 'all' : selection.get(name);
      if (below === undefined) continue;
      const old = known?.directories.get(name);
      if (old?.meta !== meta) this.#meta(meta);
      if (old?.tree !== child) this.#tree({ tree: child, selection: below, before: old?.tree });
    }
  }

  #tree(want: TreeWant): void {
    if (want.selection === 'all') {
      if (this.#seenTrees.has(want.tree)) return;
      this.#seenTrees.add(want.tree);
    }
    this.trees.push(want);
  }

  #meta(meta: Checksum): void {
    if (this.#seen.has(meta)) return;
    this.#seen.add(meta);
    this.metas.push(meta);
  }

  #known(tree: Checksum): Known | undefined {
    const bytes = this.#reader.metadataIfPresent(tree, 'dirtree');
    if (bytes === undefined) return undefined; // the commit was not as complete as it said: look at everything
    const { files, directories } = decodeDirTree(bytes, `dirtree ${tree}`);
    return {
      files: new Map(files.map(({ name, checksum }) => [name, checksum])),
      directories: new Map(directories.map((entry) => [entry.name, entry])),
    };
  }
}

interface Known {
  readonly files: ReadonlyMap<string, Checksum>;
  readonly directories: ReadonlyMap<string, DirTree['directories'][number]>;
}

function assertNames({ files, directories }: DirTree, selection: ReadonlyMap<string, Selection>): void {
  for (const [name, below] of selection) {
    const isFile = files.some((file) => file.name === name);
    if (directories.some((directory) => directory.name === name) || (isFile && below === 'all')) continue;
    throw new OstreeError(
      'PATH_MISSING',
      `subpath: the commit has no ${isFile ? 'directory' : 'entry'} ${quote(name)}`,
      {
        subject: name,
      },
    );
  }
}
