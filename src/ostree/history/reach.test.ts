import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../objects/checksum.ts';
import { encodeCommit } from '../objects/commit.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { type DirTree, encodeDirTree } from '../objects/dirtree.ts';
import type { MetadataType } from '../objects/object-type.ts';
import { NO_XATTRS } from '../objects/xattrs.ts';
import { missing, ObjectReader } from '../storage/object-reader.ts';
import { ancestry, Reach, reachTree } from './reach.ts';

/** Objects in memory, and how often each was read. */
class Shelf extends ObjectReader {
  readonly #objects = new Map<string, Uint8Array>();
  readonly reads: string[] = [];
  readonly meta: string;

  constructor() {
    super([]);
    this.meta = this.put(encodeDirMeta({ uid: 0, gid: 0, mode: 0o40755, xattrs: NO_XATTRS }));
  }

  put(bytes: Uint8Array, name = sha256(bytes)): string {
    this.#objects.set(name, bytes);
    return name;
  }

  tree(files: Readonly<Record<string, string>>, directories: Readonly<Record<string, string>>, name?: string): string {
    const tree: DirTree = {
      files: Object.entries(files).map(([file, checksum]) => ({ name: file, checksum })),
      directories: Object.entries(directories).map(([inner, each]) => ({ name: inner, tree: each, meta: this.meta })),
    };
    return this.put(encodeDirTree(tree), name);
  }

  newCommit(subject: string, parent?: string, name?: string): string {
    const root = { rootTree: sha256(Buffer.of(0)), rootMeta: this.meta };
    const commit = { metadata: [], related: [], parent, subject, body: '', timestamp: 1, ...root };
    return this.put(encodeCommit(commit), name);
  }

  override metadataIfPresent(checksum: string): Uint8Array | undefined {
    this.reads.push(checksum);
    return this.#objects.get(checksum);
  }

  override metadata(checksum: string, type: MetadataType): Uint8Array {
    const bytes = this.metadataIfPresent(checksum);
    if (bytes === undefined) throw missing(checksum, type);
    return bytes;
  }

  override has(checksum: string): boolean {
    return this.#objects.has(checksum);
  }
}

const FILE = sha256(Buffer.from('file'));
const OTHER = sha256(Buffer.from('other'));
const GONE = sha256(Buffer.from('gone'));

describe('what a commit needs', () => {
  it('is every tree, its metadata and its files, each once', () => {
    const shelf = new Shelf();
    const shared = shelf.tree({ f: FILE }, {});
    const inner = shelf.tree({ g: OTHER }, { s: shared });
    const root = shelf.tree({ f: FILE }, { a: shared, b: shared, c: inner });
    const reach = new Reach();
    reachTree(shelf, { rootTree: root, rootMeta: shelf.meta }, reach);
    assert.deepEqual([...reach.dirTrees].sort(), [root, inner, shared].sort());
    assert.deepEqual([...reach.files].sort(), [FILE, OTHER].sort());
    assert.deepEqual([...reach.dirMetas], [shelf.meta]);
    assert.equal(reach.size, 6);
    assert.deepEqual(shelf.reads.sort(), [root, inner, shared].sort(), 'each tree was read once');
    reachTree(shelf, { rootTree: root, rootMeta: shelf.meta }, reach);
    assert.equal(shelf.reads.length, 3, 'and not again for another commit');
    assert.deepEqual(
      [reach.has(FILE, 'file'), reach.has(FILE, 'dirtree'), reach.has(root, 'dirtree')],
      [true, false, true],
    );
  });

  it('is listed commits first, files last', () => {
    const reach = new Reach();
    reach.files.add(FILE);
    reach.commits.add(OTHER);
    reach.dirMetas.add(GONE);
    reach.dirTrees.add(GONE);
    assert.deepEqual(
      [...reach.names()].map(({ type }) => type),
      ['commit', 'dirtree', 'dirmeta', 'file'],
    );
  });

  it('cannot be told when a tree is missing, unless that is expected', () => {
    const shelf = new Shelf();
    const root = { rootTree: shelf.tree({ f: FILE }, { a: GONE }), rootMeta: shelf.meta };
    assert.throws(() => reachTree(shelf, root, new Reach()), { code: 'OBJECT_MISSING', subject: GONE });
    const absent: string[] = [];
    const reach = new Reach();
    reachTree(shelf, root, reach, (tree) => void absent.push(tree));
    assert.deepEqual([absent, [...reach.files]], [[GONE], [FILE]]);
    assert.throws(
      () =>
        reachTree(shelf, root, new Reach(), () => {
          throw new Error('stop');
        }),
      { message: 'stop' },
    );
  });

  it('ends with a tree that is malformed, expected or not', () => {
    const shelf = new Shelf();
    const root = { rootTree: shelf.put(Buffer.from('nonsense'), GONE), rootMeta: shelf.meta };
    assert.throws(() => reachTree(shelf, root, new Reach(), () => undefined), { code: 'OBJECT_MALFORMED' });
  });

  it('is found in trees that lie about their names and hold each other', () => {
    const shelf = new Shelf();
    shelf.tree({}, { b: OTHER }, FILE);
    shelf.tree({}, { a: FILE, c: OTHER }, OTHER);
    const reach = new Reach();
    reachTree(shelf, { rootTree: FILE, rootMeta: shelf.meta }, reach);
    assert.deepEqual([...reach.dirTrees].sort(), [FILE, OTHER].sort());
  });

  it('is found however deep it lies', () => {
    const shelf = new Shelf();
    let tree = shelf.tree({ f: FILE }, {});
    for (let i = 0; i < 5_000; i++) tree = shelf.tree({}, { d: tree });
    const reach = new Reach();
    reachTree(shelf, { rootTree: tree, rootMeta: shelf.meta }, reach);
    assert.deepEqual([...reach.files], [FILE]);
    assert.equal(reach.dirTrees.size, 5_001);
  });
});

describe('the ancestry of a commit', () => {
  const subjects = (shelf: Shelf, from: string, depth: number): string[] =>
    [...ancestry(shelf, from, depth)].map(({ commit }) => commit.subject);

  it('goes back as many generations as were asked for, or to the first', () => {
    const shelf = new Shelf();
    const first = shelf.newCommit('1');
    const second = shelf.newCommit('2', first);
    const third = shelf.newCommit('3', second);
    assert.deepEqual(subjects(shelf, third, 0), ['3']);
    assert.deepEqual(subjects(shelf, third, 1), ['3', '2']);
    for (const depth of [2, 3, -1]) assert.deepEqual(subjects(shelf, third, depth), ['3', '2', '1']);
    assert.deepEqual(
      [...ancestry(shelf, third, 1)].map(({ checksum }) => checksum),
      [third, second],
    );
  });

  it('ends at a parent that is absent, but its first commit must be there', () => {
    const shelf = new Shelf();
    assert.deepEqual(subjects(shelf, shelf.newCommit('2', GONE), -1), ['2']);
    assert.throws(() => subjects(shelf, GONE, -1), { code: 'OBJECT_MISSING', subject: GONE });
  });

  it('ends when commits that lie about their names are parents of each other', () => {
    const shelf = new Shelf();
    shelf.newCommit('a', OTHER, FILE);
    shelf.newCommit('b', FILE, OTHER);
    assert.deepEqual(subjects(shelf, FILE, -1), ['a', 'b']);
  });
});
