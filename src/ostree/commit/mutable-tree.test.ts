import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { emptyRepository, listed, transact } from './commit.fixture.ts';
import { PLAIN_DIRECTORY } from './modifiers.ts';
import { MutableTree, type Root } from './mutable-tree.ts';
import type { MetadataWriter } from './tally.ts';

const META = '446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488'; // 0:0 0755, spec 5
const EMPTY = '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d';
const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

function make(paths: Readonly<Record<string, string>>): MutableTree {
  const root = MutableTree.empty();
  root.setMeta(META);
  for (const [path, checksum] of Object.entries(paths)) {
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let at = root;
    for (const part of parts) {
      at = at.ensureDirectory(part);
      at.setMeta(META);
    }
    if (name !== '') at.putFile(name, checksum);
  }
  return root;
}

/** The tree, written and opened again; and what writing it again writes. */
async function stored(t: TestContext, tree: MutableTree) {
  const repository = emptyRepository(t);
  const root = await transact(repository, async ({ writer }) => {
    writer.putMetadata('dirmeta', encodeDirMeta(PLAIN_DIRECTORY));
    return tree.write(writer);
  });
  const rewrite = async (opened: MutableTree): Promise<{ root: Root; written: number }> => {
    let written = 0;
    return transact(repository, async ({ writer }) => {
      const counting: MetadataWriter = {
        putMetadata: (type, bytes) => {
          written++;
          return writer.putMetadata(type, bytes);
        },
      };
      return { root: opened.write(counting), written };
    });
  };
  return { root, open: () => MutableTree.of(objectsOf(repository), root), rewrite };
}

describe('a tree in the making', () => {
  it('without names is the empty tree', async (t) => {
    assert.deepEqual((await stored(t, make({}))).root, { rootTree: EMPTY, rootMeta: META });
  });
  it('comes back as it was written', async (t) => {
    const paths = { 'a/b/c': A, 'a/d': B, 'z/': '', '\u{1f600}': A, '\uffff': B };
    const { open } = await stored(t, make(paths));
    const expected = { 'a/': '', 'a/b/': '', 'a/b/c': A, 'a/d': B, 'z/': '', '\uffff': B, '\u{1f600}': A };
    assert.deepEqual(listed(open()), expected);
    assert.deepEqual(Object.keys(listed(open())), Object.keys(expected));
  });
  it('writes nothing when it was only looked at, and only what was changed otherwise', async (t) => {
    const { root, open, rewrite } = await stored(t, make({ 'a/b/c': A, 'x/y/z': A }));
    const seen = open();
    assert.equal(seen.lookup(['a', 'b', 'c']), A);
    assert.deepEqual(await rewrite(seen), { root, written: 0 });
    const changed = open();
    changed.directory(['a', 'b'])?.putFile('c', B);
    const { root: after, written } = await rewrite(changed);
    assert.equal(written, 3); // b, a and the root
    assert.notEqual(after.rootTree, root.rootTree);
    const back = open();
    back.directory(['x', 'y'])?.setMeta(B);
    assert.equal((await rewrite(back)).written, 2); // x and the root: y itself is the same
  });
  it('finds nothing below a file, and itself without a path', () => {
    const tree = make({ a: A });
    assert.equal(tree.lookup(['a', 'b']), undefined);
    assert.equal(tree.lookup(['b']), undefined);
    assert.equal(tree.lookup([]), tree);
    assert.equal(tree.directory(['a']), undefined);
  });
  it('moves entries with everything below', () => {
    const tree = make({ 'a/b/c': A });
    const moved = tree.directory(['a'])?.take('b');
    assert.ok(moved instanceof MutableTree);
    tree.attach('m', moved);
    assert.deepEqual(listed(tree), { 'a/': '', 'm/': '', 'm/c': A });
    assert.equal(tree.remove('m'), true);
    assert.equal(tree.remove('m'), false);
    tree.clear();
    assert.equal(tree.isEmpty, true);
  });
  it('does not put a file in the place of a directory, or the reverse, unless told to', () => {
    const tree = make({ 'd/x': A, f: A });
    assert.throws(() => tree.putFile('d', B), { code: 'TARGET_EXISTS' });
    assert.throws(() => tree.ensureDirectory('f'), { code: 'TARGET_EXISTS' });
    tree.putFile('d', B, 'replace');
    tree.ensureDirectory('f', 'replace');
    assert.deepEqual(listed(tree), { d: B, 'f/': '' });
  });
  it('with another on top has the names of both, the later of what both have', () => {
    const tree = make({ 'a/x': A, 'a/y': A, k: A });
    const other = make({ 'a/y': B, 'a/new/z': B });
    other.directory(['a'])?.setMeta(B);
    tree.merge(other);
    assert.deepEqual(listed(tree), { 'a/': '', 'a/new/': '', 'a/new/z': B, 'a/x': A, 'a/y': B, k: A });
    assert.equal(tree.directory(['a'])?.meta, B);
  });
  for (const [below, above] of [
    [{ x: A }, { 'x/y': B }],
    [{ 'x/y': A }, { x: B }],
  ] as const) {
    it(`with ${Object.keys(above)[0]} over ${Object.keys(below)[0]} is refused, or replaced when told to`, () => {
      assert.throws(() => make(below).merge(make(above)), { code: 'TARGET_EXISTS' });
      const tree = make(below);
      tree.merge(make(above), 'replace');
      assert.deepEqual(listed(tree), listed(make(above)));
    });
  }
  it('refuses names that no file has', () => {
    for (const name of ['', '.', '..', 'a/b', 'a\0'])
      assert.throws(() => MutableTree.empty().putFile(name, A), { code: 'FILE_NAME' }, JSON.stringify(name));
  });
  it('is not written while a directory has no attributes', async (t) => {
    const tree = make({ 'a/b': A });
    tree.directory(['a'])?.ensureDirectory('bare');
    await assert.rejects(stored(t, tree), { code: 'PATH_MISSING', subject: '/a/bare' });
    await assert.rejects(stored(t, MutableTree.empty()), { code: 'PATH_MISSING', subject: '/' });
  });
});
