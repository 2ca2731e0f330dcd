import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  directory,
  file,
  hardlink,
  imported,
  layerOf,
  listing,
  type Made,
  PLAIN,
  refused,
  repositoryFor,
  streamOf,
  symlink,
  tarOf,
  transact,
} from '../layers.fixture.ts';
import { importLayer } from './import-layer.ts';

const fifo = (path: string): Made => ({ path, type: 'fifo' });

describe('a layer', () => {
  it('becomes a tree with owners, modes, links and attributes', async (t) => {
    const { list, counts, filtered, skipped } = await imported(t, [
      directory('./', 0o750),
      directory('a', 0o1777, { uid: 5, gid: 6 }),
      file('a/set', 'x', { mode: 0o4755, uid: 1, gid: 2, xattrs: [['user.a', Buffer.from('1')]] }),
      symlink('a/link', '../nowhere'),
      hardlink('hard', 'a/set'),
    ]);
    assert.deepEqual(list, {
      '/': '750',
      'a/': '1777 5:6',
      'a/link': '-> ../nowhere',
      'a/set': '4755 1:2 +1 x',
      hard: '4755 1:2 +1 x',
    });
    assert.deepEqual(counts, { entries: 5, files: 2, whiteouts: 0, linksBelow: 0, newFiles: 2, newBytes: 1 });
    assert.deepEqual([filtered.size, skipped], [0, []]);
  });
  it('of no entries is an empty directory of root', async (t) => {
    const { list, implied, uncompressedSize } = await imported(t, []);
    assert.deepEqual(list, { '/': '755' });
    assert.deepEqual([[...implied], uncompressedSize], [[''], 1024]);
  });
  it('gets the directories that it does not describe, which are remembered', async (t) => {
    const { list, implied } = await imported(t, [file('/a//b/./c', 'x'), directory('a', 0o700)]);
    assert.deepEqual(list, { '/': '755', 'a/': '700', 'a/b/': '755', 'a/b/c': '644 x' });
    assert.deepEqual([...implied].sort(), ['', 'a/b']);
  });
  it('keeps whiteouts as empty files, whatever the archive made of them', async (t) => {
    const { list, hasWhiteouts, counts } = await imported(t, [
      file('.wh.gone', 'content', { mode: 0, uid: 7 }),
      symlink('d/.wh.link', 'x'),
      directory('d/.wh.folder'),
      file('d/.wh.folder/below'),
      file('d/.wh..wh..opq', ''),
    ]);
    assert.deepEqual(list, {
      '/': '755',
      '.wh.gone': '0 7:0',
      'd/': '755',
      'd/.wh..wh..opq': '644',
      'd/.wh.folder': '755',
      'd/.wh.link': '644',
    });
    assert.deepEqual([hasWhiteouts, counts.whiteouts], [true, 4]);
  });
  it('loses what AUFS kept for itself, and whiteouts of no name', async (t) => {
    const { list } = await imported(t, [
      directory('.wh..wh.plnk'),
      file('.wh..wh.plnk/1.2'),
      file('.wh..wh.aufs'),
      file('.wh.', ''),
      file('.wh..', ''),
      file('.wh...', ''),
    ]);
    assert.deepEqual(list, { '/': '755' });
  });
  it('with an entry twice has the last one, of whatever type', async (t) => {
    const { list } = await imported(t, [
      file('a', '1'),
      file('a', '2'),
      file('b', '1'),
      directory('b', 0o711),
      file('c/x'),
      file('c', 'file'),
      symlink('d', 'a'),
      file('d', 'no link'),
      directory('e'),
      symlink('e', 'a'),
    ]);
    assert.deepEqual(list, {
      '/': '755',
      a: '644 2',
      'b/': '711',
      c: '644 file',
      d: '644 no link',
      e: '-> a',
    });
  });
  it('with the entry of a directory after its content keeps the content', async (t) => {
    const { list, implied } = await imported(t, [file('d/x', '1'), directory('d', 0o700, { uid: 3 })]);
    assert.deepEqual(list, { '/': '755', 'd/': '700 3:0', 'd/x': '644 1' });
    assert.deepEqual([...implied], ['']);
  });
  it('has what is written through its own links where they lead', async (t) => {
    const { list } = await imported(t, [
      directory('usr/lib'),
      symlink('lib', 'usr/lib'),
      file('lib/x', '1'),
      symlink('up', '../../..//./lib'),
      file('up/y', '2'),
      hardlink('z', 'up/x'),
      symlink('abs', '/usr'),
      file('abs/.wh.gone', ''),
    ]);
    assert.deepEqual(list, {
      '/': '755',
      abs: '-> /usr',
      lib: '-> usr/lib',
      up: '-> ../../..//./lib',
      'usr/': '755',
      'usr/.wh.gone': '644',
      'usr/lib/': '755',
      'usr/lib/x': '644 1',
      'usr/lib/y': '644 2',
      z: '644 1',
    });
  });
  it('with a link in a circle is refused when something is to be written behind it', (t) =>
    refused(t, [symlink('a', 'b'), symlink('b', 'a'), file('a/x')], 'LAYER_LINK'));
  it('does not follow a link that was replaced', async (t) => {
    const { list } = await imported(t, [symlink('a', 'b'), directory('a'), file('a/x', '1')]);
    assert.deepEqual(list, { '/': '755', 'a/': '755', 'a/x': '644 1' });
  });
  it('is stored by threads as well, with small and large files', async (t) => {
    const many = Array.from({ length: 2600 }, (_, i) => file(`d${i % 7}/f${i}`, `content ${i % 1000}`));
    const large = file('large', 'z'.repeat(5 * 2 ** 20));
    await transact(repositoryFor(t, 'bare-user'), async (transaction) => {
      const bytes = await tarOf([...many, large]);
      const layer = await importLayer(transaction, streamOf(bytes, 65_537), { ...PLAIN, threads: 2 });
      const list = listing(transaction, layer.tree);
      assert.equal(list['d3/f1739'], '644 content 739');
      assert.equal(list['large'], '644 5242880 bytes');
      assert.equal(layer.counts.files, 2601);
      assert.equal(layer.uncompressedSize, bytes.length);
    });
  });
});

describe('a hard link of a layer', () => {
  it('is the file that its target is at that moment', async (t) => {
    const { list } = await imported(t, [file('a', '1'), hardlink('b', './a'), file('a', '2'), hardlink('c', '/a')]);
    assert.deepEqual(list, { '/': '755', a: '644 2', b: '644 1', c: '644 2' });
  });
  it('finds a file that only the layers below have, through their links too', (t) =>
    transact(repositoryFor(t), async (transaction) => {
      const lower = await layerOf(transaction, [
        file('usr/lib/x', 'below', { mode: 0o4711 }),
        symlink('lib', 'usr/lib'),
      ]);
      const layer = await layerOf(transaction, [hardlink('a', 'usr/lib/x'), hardlink('b', 'lib/x')], {
        lower: lower.tree,
      });
      assert.deepEqual(listing(transaction, layer.tree), { '/': '755', a: '4711 below', b: '4711 below' });
      assert.equal(layer.counts.linksBelow, 2);
    }));
  for (const [what, target] of [
    ['nothing', 'missing'],
    ['a directory', 'd'],
    ['the root', '/'],
  ] as const) {
    it(`to ${what} is refused`, (t) => refused(t, [directory('d'), hardlink('a', target)], 'LAYER_LINK'));
  }
  it('out of the archive is refused', (t) => refused(t, [hardlink('a', '../../etc/shadow')], 'TAR_PATH'));
});

describe('a layer with devices', () => {
  it('is refused by the name of the first', async (t) => {
    const device: Made = { path: 'dev/null', type: 'character', device: { major: 1, minor: 3 } };
    await assert.rejects(imported(t, [device]), { code: 'LAYER_SPECIAL_FILE', subject: 'dev/null' });
  });
  it('comes without them, and tells which, when that is asked for', async (t) => {
    const { list, skipped } = await imported(t, [file('p', 'old'), fifo('./p'), hardlink('q', 'p'), file('r')], {
      specials: 'skip',
    });
    assert.deepEqual(list, { '/': '755', r: '644 r' });
    assert.deepEqual(skipped, [
      { path: './p', type: 'fifo' },
      { path: 'q', type: 'hardlink' },
    ]);
  });
});

describe('a layer for an ordinary user', () => {
  it('may be read and searched by its owner', async (t) => {
    const { list } = await imported(
      t,
      [directory('d', 0), file('d/x', '1', { mode: 0 }), file('.wh.y', '', { mode: 0 })],
      {
        access: 'user',
      },
    );
    assert.deepEqual(list, { '/': '755', '.wh.y': '600', 'd/': '700', 'd/x': '600 1' });
  });
  it('has canonical modes in a repository of mode bare-user-only', (t) =>
    transact(repositoryFor(t, 'bare-user-only'), async (transaction) => {
      const { tree } = await layerOf(transaction, [
        directory('d', 0o2777, { uid: 4 }),
        file('d/x', '1', { mode: 0o6777, gid: 9, xattrs: [['user.a', Buffer.from('1')]] }),
      ]);
      assert.deepEqual(listing(transaction, tree), { '/': '755', 'd/': '755', 'd/x': '755 1' });
    }));
  it('gets another owner when that is asked for', async (t) => {
    const { list } = await imported(t, [file('x', '', { uid: 1, gid: 1 })], {
      modifiers: { ownerUid: 0, ownerGid: 0 },
    });
    assert.deepEqual(list, { '/': '755', x: '644' });
  });
});
