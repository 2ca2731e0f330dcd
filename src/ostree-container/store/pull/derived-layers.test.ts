import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { SampleEntry } from '../../../../test/support/oci-image.ts';
import { fsck, objectsOf, type Repository } from '../../../ostree/index.ts';
import { SIGNAL } from '../../stream/stream.fixture.ts';
import { imageOf, listed, newStore, pullOptions } from '../store.fixture.ts';
import { pullIntoStore } from './index.ts';

const LINK = 'sysroot/ostree/repo/objects/';
const TIME = { seconds: 1_700_000_000, nanoseconds: 0 };

async function assertWhole(repository: Repository): Promise<void> {
  const { findings } = await fsck(repository, { signal: SIGNAL });
  assert.deepEqual(findings, []);
}

describe('an image that was built on top of a commit', () => {
  const derive = async (t: TestContext, ...derived: (readonly SampleEntry[])[]) => {
    const { name } = await imageOf(t, { components: 1, derived });
    const repository = newStore(t);
    const pulled = await pullIntoStore(repository, pullOptions(t, name));
    return { ...pulled, list: listed(repository, pulled.commit), repository, name };
  };

  it('is the tree of both, with /etc in usr/etc, and whiteouts done', async (t) => {
    const { list, repository } = await derive(t, [
      { path: 'etc', type: 'directory', mode: 0o755 },
      { path: 'etc/new', content: 'new', mode: 0o600 },
      { path: 'etc/.wh.config', content: '', mode: 0 },
      { path: 'usr/lib', type: 'directory', mode: 0o700, uid: 5 },
      { path: 'usr/lib/one', content: 'changed' },
      { path: 'usr/bin/.wh..wh..opq', content: '' },
      { path: 'var/lib/db', content: 'db' },
    ]);
    assert.deepEqual(list, {
      '/': '755',
      '/usr/': '755',
      '/usr/bin/': '755',
      '/usr/etc/': '755',
      '/usr/etc/empty': '644',
      '/usr/etc/new': '600 new',
      '/usr/lib/': '700 5',
      '/usr/lib/one': '644 changed',
      '/usr/lib/three': '644 7 three',
      '/usr/lib/two': '644 two',
      '/var/': '755',
      '/var/lib/': '755',
      '/var/lib/db': '644 db',
    });
    await assertWhole(repository);
  });

  it('leaves out what has no place, and counts it under the first part of its path', async (t) => {
    const { filtered, repository, commit } = await derive(
      t,
      [
        { path: 'run/lock/x', content: '' },
        { path: 'opt/a', content: 'a' },
        { path: 'opt/b', content: 'b' },
      ],
      [{ path: 'run/y', content: '' }],
    );
    assert.deepEqual(Object.fromEntries(filtered), { opt: 2, run: 2 });
    const { metadata } = objectsOf(repository).commit(commit);
    const stored = metadata.find(([key]) => key === 'ostree.tar-filtered')?.[1];
    assert.equal(stored?.signature, 'a{sa{su}}');
  });

  it('tells what was left out also when its layers were there', async (t) => {
    const { filtered, repository, name } = await derive(t, [{ path: 'opt/a', content: 'a' }]);
    const again = await pullIntoStore(repository, pullOptions(t, name));
    assert.deepEqual(again.filtered, filtered);
  });

  it('keeps hard links within etc and var, to lower layers, and chains of them', async (t) => {
    const { list } = await derive(
      t,
      [
        { path: 'etc/a', content: 'a' },
        { path: 'etc/b', type: 'hardlink', linkTarget: 'etc/a' },
        { path: 'etc/c', type: 'hardlink', linkTarget: '/etc/b' },
        { path: 'var/a', content: 'v' },
        { path: 'var/b', type: 'hardlink', linkTarget: 'var/a' },
      ],
      [
        { path: 'etc/d', type: 'hardlink', linkTarget: 'etc/config' },
        { path: 'usr/x', type: 'hardlink', linkTarget: 'var/b' },
      ],
    );
    const found = ['/usr/etc/b', '/usr/etc/c', '/var/b', '/usr/etc/d', '/usr/x'].map((path) => list[path]);
    assert.deepEqual(found, ['644 a', '644 a', '644 v', '644 a=b', '644 v']);
  });

  it('takes a file that was changed through the store of the image, and ignores the unchanged', async (t) => {
    const changed = `${LINK}00/${'a'.repeat(62)}.file`;
    const untouched = `${LINK}11/${'b'.repeat(62)}.file`;
    const { list } = await derive(t, [
      { path: changed, content: 'touched', mtime: TIME },
      { path: 'usr/lib/one', type: 'hardlink', linkTarget: changed },
      { path: 'usr/lib/again', type: 'hardlink', linkTarget: `/${changed}` },
      { path: untouched, content: 'two', mtime: { seconds: 0, nanoseconds: 0 } },
      { path: 'usr/lib/two', type: 'hardlink', linkTarget: untouched },
    ]);
    assert.deepEqual(
      ['/usr/lib/one', '/usr/lib/again', '/usr/lib/two', '/sysroot/'].map((path) => list[path]),
      ['644 touched', '644 touched', '644 two', undefined],
    );
  });

  it('loses the empty files that build tools leave in /etc', async (t) => {
    const leftovers = ['hostname', 'hosts', 'resolv.conf'].map((name) => ({
      path: `etc/${name}`,
      content: '',
      mode: 0o755,
    }));
    const { list } = await derive(t, leftovers, [{ path: 'etc/hosts', content: '' }]);
    assert.deepEqual(
      Object.keys(list)
        .filter((path) => path.startsWith('/usr/etc/'))
        .sort(),
      ['/usr/etc/', '/usr/etc/config', '/usr/etc/empty'],
    );
  });

  it('keeps everything when the root of the base is transient', async (t) => {
    const lib = { inside: { ostree: { inside: { 'prepare-root.conf': { content: '[root]\ntransient = true\n' } } } } };
    const tree = { usr: { inside: { lib } } };
    const { name } = await imageOf(t, {
      tree,
      derived: [
        [
          { path: 'opt/a', content: 'a' },
          { path: 'run/b', content: 'b' },
        ],
      ],
    });
    const repository = newStore(t);
    const pulled = await pullIntoStore(repository, pullOptions(t, name));
    assert.equal(listed(repository, pulled.commit)['/opt/a'], '644 a');
    assert.deepEqual(Object.fromEntries(pulled.filtered), { run: 1 });
  });

  it('is imported anew where its links lead into another base', async (t) => {
    const layer = [[{ path: 'usr/link', type: 'hardlink' as const, linkTarget: 'usr/lib/one' }]];
    const first = await imageOf(t, { derived: layer });
    const lib = { inside: { one: { content: 'other' } } };
    const second = await imageOf(t, { tree: { usr: { inside: { lib } } }, derived: layer });
    assert.equal(first.layers[1], second.layers[1]);
    const repository = newStore(t);
    await pullIntoStore(repository, pullOptions(t, first.name));
    const { commit } = await pullIntoStore(repository, pullOptions(t, second.name));
    assert.equal(listed(repository, commit)['/usr/link'], '644 other');
  });

  it('with a device is refused by its path, or comes without it', async (t) => {
    const { name } = await imageOf(t, {
      derived: [
        [
          { path: 'usr/pipe', type: 'fifo' },
          { path: 'usr/a', content: '' },
        ],
      ],
    });
    const repository = newStore(t);
    await assert.rejects(pullIntoStore(repository, pullOptions(t, name)), { code: 'LAYER_SPECIAL_FILE' });
    const { skippedFiles } = await pullIntoStore(repository, pullOptions(t, name, { specials: 'skip' }));
    assert.deepEqual(skippedFiles, ['usr/pipe']);
  });
});
