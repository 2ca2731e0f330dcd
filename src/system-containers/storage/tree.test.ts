import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import type { SampleEntry } from '../../../test/support/oci-image.ts';
import { imageTree, mergedCommit } from './index.ts';
import { imageIn, newStorage, OPTIONS, pulled } from './storage.fixture.ts';

const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');

async function treeOf(t: TestContext, entries: readonly SampleEntry[]) {
  const { name } = await imageIn(t, [entries]);
  const repository = newStorage(t, 'bare-user');
  const { image } = await pulled(t, repository, name);
  return imageTree(repository, await mergedCommit(repository, image, OPTIONS), image.name);
}

describe('the tree of an image', () => {
  const entries: readonly SampleEntry[] = [
    { path: 'a', type: 'directory', mode: 0o750, uid: 3, gid: 4 },
    { path: 'a/set', content: 'xyz', mode: 0o4755, uid: 1, gid: 2 },
    { path: 'a/ping', content: '', xattrs: [['security.capability', capability]] },
    { path: 'a.b', content: '' },
    { path: 'link', type: 'symlink', linkTarget: 'a' },
  ];

  it('tells what is at a path', async (t) => {
    const tree = await treeOf(t, entries);
    const plain = { size: 0, target: undefined, hasCapabilities: false };
    assert.deepEqual(tree.look('a'), { ...plain, type: 'directory', mode: 0o750, uid: 3, gid: 4 });
    assert.deepEqual(tree.look('a/set'), { ...plain, type: 'file', mode: 0o4755, uid: 1, gid: 2, size: 3 });
    assert.equal(tree.look('a/ping')?.hasCapabilities, true);
    assert.deepEqual([tree.look('link')?.type, tree.look('link')?.target], ['symlink', 'a']);
    assert.equal(tree.look('')?.type, 'directory');
  });

  it('follows no link, and has nothing below a file', async (t) => {
    const tree = await treeOf(t, entries);
    for (const path of ['link/set', 'a/set/x', 'missing', 'a/..', 'a//set']) assert.equal(tree.look(path), undefined);
    assert.deepEqual([tree.list('link'), tree.list('missing'), tree.list('a/set')], [[], [], []]);
  });

  it('lists names in the order of their bytes', async (t) => {
    const tree = await treeOf(t, entries);
    assert.deepEqual(
      [tree.list(''), tree.list('a')],
      [
        ['a', 'a.b', 'link'],
        ['ping', 'set'],
      ],
    );
  });

  it('gives the content of regular files alone, as far as it may be large', async (t) => {
    const tree = await treeOf(t, entries);
    assert.equal(Buffer.from(tree.read('a/set', 3)).toString(), 'xyz');
    assert.throws(() => tree.read('a/set', 2), { code: 'TOO_LARGE' });
    for (const path of ['a', 'link', 'missing']) assert.throws(() => tree.read(path, 9), { code: 'BAD_STORED_IMAGE' });
    const chunks: Buffer[] = [];
    assert.equal(
      tree.withPlainFile?.('a/set', (fd) => readFileSync(fd, 'utf8')),
      'xyz',
    );
    assert.throws(() => tree.withPlainFile?.('a', () => assert.fail()), { code: 'BAD_STORED_IMAGE' });
    for await (const chunk of tree.chunks('a/set')) chunks.push(Buffer.from(chunk));
    assert.equal(Buffer.concat(chunks).toString(), 'xyz');
  });
});
