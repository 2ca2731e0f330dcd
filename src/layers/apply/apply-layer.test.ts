import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { MutableTree, type Transaction } from '../../ostree/index.ts';
import {
  directory,
  file,
  hardlink,
  layerOf,
  listing,
  type Made,
  repositoryFor,
  symlink,
  transact,
} from '../layers.fixture.ts';
import { ostreePaths, type PathRule, SAME_PATHS } from '../path-rule.ts';
import { applyLayer } from './apply-layer.ts';

const OSTREE = ostreePaths({ keepAll: false });

async function applied(
  transaction: Transaction,
  layers: readonly (readonly Made[])[],
  paths: PathRule = SAME_PATHS,
): Promise<Record<string, string>> {
  const tree = MutableTree.empty();
  const { reader } = transaction.writer;
  for (const entries of layers) {
    const layer = await layerOf(transaction, entries, { lower: tree, paths });
    // By way of the objects, as a later run would find it.
    const root = layer.tree.write(transaction.writer);
    applyLayer(tree, { ...layer, tree: MutableTree.of(reader, root) }, { reader, paths });
  }
  return listing(transaction, tree.write(transaction.writer));
}

function result(t: TestContext, layers: readonly (readonly Made[])[], paths?: PathRule) {
  return transact(repositoryFor(t), (transaction) => applied(transaction, layers, paths));
}

describe('applying a layer', () => {
  it('adds and replaces files, and merges directories', async (t) => {
    const list = await result(t, [
      [file('a', '1'), file('d/x', '1'), file('d/y', '1')],
      [file('a', '2'), file('d/x', '2', { mode: 0o4755, uid: 5 })],
    ]);
    assert.deepEqual(list, { '/': '755', a: '644 2', 'd/': '755', 'd/x': '4755 5:0 2', 'd/y': '644 1' });
  });
  it('takes away what whiteouts name, and the whiteouts with it', async (t) => {
    const list = await result(t, [
      [file('a', '1'), file('d/x/y', '1'), file('d/z', '1'), symlink('l', 'd')],
      [
        file('.wh.a', ''),
        file('d/.wh.x', ''),
        file('.wh.l', ''),
        file('.wh.never', ''),
        file('new/very/.wh.b', ''),
        file('d/z/.wh.c', ''),
      ],
    ]);
    assert.deepEqual(list, { '/': '755', 'd/': '755', 'd/z': '644 1' });
  });
  it('keeps the new file beside its whiteout, in either order', async (t) => {
    const list = await result(t, [
      [file('a', '1'), file('b', '1'), file('c/old', '1'), file('e/old', '1')],
      [
        file('.wh.a', ''),
        file('a', '2'),
        file('b', '2'),
        file('.wh.b', ''),
        file('.wh.c', ''),
        directory('c', 0o700),
        file('c/new', '2'),
        file('e/new', '2'),
        file('.wh.e', ''),
      ],
    ]);
    assert.deepEqual(list, {
      '/': '755',
      a: '644 2',
      b: '644 2',
      'c/': '700',
      'c/new': '644 2',
      'e/': '755',
      'e/new': '644 2',
    });
  });
  it('empties opaque directories of what is below, not of what it brings', async (t) => {
    const list = await result(t, [
      [directory('d', 0o711, { uid: 8 }), file('d/old', '1'), file('d/sub/old', '1')],
      [file('d/new', '2'), file('d/.wh..wh..opq', ''), file('d/sub/new', '2')],
    ]);
    assert.deepEqual(list, { '/': '755', 'd/': '711 8:0', 'd/new': '644 2', 'd/sub/': '755', 'd/sub/new': '644 2' });
  });
  it('empties everything by an opaque root', async (t) => {
    const list = await result(t, [
      [directory('.', 0o711), file('a')],
      [file('.wh..wh..opq', ''), file('b', '2')],
    ]);
    assert.deepEqual(list, { '/': '711', b: '644 2' });
  });
  it('puts files over directories and directories over files', async (t) => {
    const list = await result(t, [
      [file('d/x/y', '1'), file('f', '1'), symlink('l', 'd'), symlink('m', 'd')],
      [file('d', '2'), file('f/x', '2'), directory('l', 0o711), file('l/x', '2'), file('m', '2')],
    ]);
    assert.deepEqual(list, {
      '/': '755',
      d: '644 2',
      'f/': '755',
      'f/x': '644 2',
      'l/': '711',
      'l/x': '644 2',
      m: '644 2',
    });
  });
  it('gives a directory the attributes of its entry, and none where it has no entry', async (t) => {
    const xattrs = [['user.a', Buffer.from('1')]] as const;
    const list = await result(t, [
      [directory('./', 0o711), directory('d', 0o700, { uid: 3 }), directory('e', 0o700, { uid: 3 })],
      [directory('d', 0o2775, { gid: 9, xattrs }), file('e/x', '2')],
    ]);
    assert.deepEqual(list, { '/': '711', 'd/': '2775 0:9 +1', 'e/': '700 3:0', 'e/x': '644 2' });
  });
  it('follows a link of a layer below where the layer did not describe the directory', async (t) => {
    const list = await result(t, [
      [
        directory('usr/lib', 0o711),
        file('usr/lib/old', '1'),
        symlink('lib', 'usr/lib'),
        symlink('to', '/made/here'),
        symlink('no', 'where'),
      ],
      [file('lib/new', '2'), file('lib/.wh.old', ''), file('to/x', '2'), file('no/.wh.x', '')],
    ]);
    assert.deepEqual(list, {
      '/': '755',
      lib: '-> usr/lib',
      'made/': '755',
      'made/here/': '755',
      'made/here/x': '644 2',
      no: '-> where',
      to: '-> /made/here',
      'usr/': '755',
      'usr/lib/': '711',
      'usr/lib/new': '644 2',
    });
  });
  it('never hides what it brings itself, not through links either', async (t) => {
    const list = await result(t, [
      [symlink('c', 'b')],
      [file('c/c/.wh..wh..opq', ''), symlink('b/c', '/b'), file('b/x', '2')],
    ]);
    assert.deepEqual(list, { '/': '755', 'b/': '755', 'b/c': '-> /b', 'b/x': '644 2', c: '-> b' });
  });
  it('links to a file of the layers below as it is then', async (t) => {
    const list = await result(t, [
      [file('a', '1', { mode: 0o755 }), file('b', '1')],
      [file('a', '2', { mode: 0o711 })],
      [hardlink('c', 'a'), hardlink('d/e', '/b'), file('.wh.b', '')],
    ]);
    assert.deepEqual(list, { '/': '755', a: '711 2', c: '711 2', 'd/': '755', 'd/e': '644 1' });
  });
  it('leaves nothing of reserved names in what foreign commits brought', (t) =>
    transact(repositoryFor(t), async (transaction) => {
      const { reader } = transaction.writer;
      const layer = await layerOf(transaction, [file('a', '1'), file('d/e/b', '1')]);
      const empty = layer.tree.child('a');
      assert.ok(typeof empty === 'string');
      for (const name of ['.wh..wh.plnk', '.wh.', '.wh..', '.wh.x'])
        layer.tree.directory(['d', 'e'])?.putFile(name, empty);
      layer.tree.attach('.wh.folder', MutableTree.empty());
      const tree = MutableTree.empty();
      applyLayer(tree, { ...layer, hasWhiteouts: true }, { reader });
      const list = listing(transaction, tree);
      assert.deepEqual(list, { '/': '755', a: '644 1', 'd/': '755', 'd/e/': '755', 'd/e/b': '644 1' });
    }));
});

describe('applying a layer over an OSTree commit', () => {
  it('hides in usr/etc what is hidden in etc', async (t) => {
    const list = await result(
      t,
      [
        [file('etc/a', '1'), file('etc/d/x', '1'), file('var/v', '1')],
        [file('etc/.wh.a', ''), file('etc/d/.wh..wh..opq', ''), file('etc/d/y', '2'), file('.wh.var', '')],
      ],
      OSTREE,
    );
    assert.deepEqual(list, {
      '/': '755',
      'usr/': '755',
      'usr/etc/': '755',
      'usr/etc/d/': '755',
      'usr/etc/d/y': '644 2',
    });
  });
  for (const [what, marker] of [
    ['an opaque usr', 'usr/.wh..wh..opq'],
    ['a whiteout of usr', '.wh.usr'],
  ] as const) {
    it(`by ${what} does not take its etc away`, async (t) => {
      const list = await result(
        t,
        [[directory('usr', 0o711), file('usr/bin/sh', '1'), file('etc/a', '1')], [file(marker, '')]],
        OSTREE,
      );
      assert.deepEqual(list, { '/': '755', 'usr/': '711', 'usr/etc/': '755', 'usr/etc/a': '644 1' });
    });
  }
  it('takes etc away by its own whiteout, and all by that of the root', async (t) => {
    const lower = [file('usr/bin/sh', '1'), file('etc/a', '1')];
    assert.deepEqual(await result(t, [lower, [file('.wh.etc', '')]], OSTREE), {
      '/': '755',
      'usr/': '755',
      'usr/bin/': '755',
      'usr/bin/sh': '644 1',
    });
    assert.deepEqual(await result(t, [lower, [file('.wh..wh..opq', '')]], OSTREE), { '/': '755' });
  });
  it('follows links of etc as the image has them', async (t) => {
    const list = await result(
      t,
      [[symlink('etc/alt', '../usr/share'), directory('usr/share', 0o711)], [file('etc/alt/x', '2')]],
      OSTREE,
    );
    assert.equal(list['usr/share/x'], '644 2');
    assert.equal(list['usr/etc/alt'], '-> ../usr/share');
  });
  it('keeps content in place of a link that leads out of the tree', async (t) => {
    const list = await result(t, [[symlink('var/run', '/run/x')], [file('var/run/y', '2')]], OSTREE);
    assert.deepEqual(list, { '/': '755', 'var/': '755', 'var/run/': '755', 'var/run/y': '644 2' });
  });
});
