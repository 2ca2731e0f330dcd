import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { CHECKOUT_DEFAULTS, checkout, findEntry, objectsOf } from '../../ostree/index.ts';
import { mergedCommit, verifyDeployment, verifyImage } from './index.ts';
import { imageIn, newStorage, OPTIONS, pulled, SIGNAL } from './storage.fixture.ts';

const ENTRIES = [
  { path: 'etc', type: 'directory' as const, mode: 0o700 },
  { path: 'etc/a', content: 'a' },
  { path: 'etc/b', content: 'b' },
  { path: 'link', type: 'symlink' as const, linkTarget: 'etc' },
];

async function deployed(t: TestContext, mode: 'bare' | 'bare-user', hardlinks: boolean) {
  const repository = newStorage(t, mode);
  const { name } = await imageIn(t, [ENTRIES]);
  const { image } = await pulled(t, repository, name, { access: mode === 'bare' ? undefined : 'user' });
  const rootfs = join(scratch(t), 'rootfs');
  const options = {
    ...CHECKOUT_DEFAULTS,
    userMode: mode === 'bare-user',
    links: hardlinks ? ('require' as const) : ('never' as const),
  };
  await checkout(repository, await mergedCommit(repository, image, OPTIONS), rootfs, options, SIGNAL);
  const problems = async () =>
    (await verifyDeployment(repository, image, rootfs, OPTIONS)).map(({ path, problem }) => `${path} ${problem}`);
  return { rootfs, problems };
}

const asRoot = { skip: needs('root') };

for (const [mode, hardlinks] of [
  ['bare', true],
  ['bare', false],
  ['bare-user', true],
] as const) {
  describe(`a deployment of a ${mode} repository ${hardlinks ? 'with' : 'without'} hard links`, () => {
    it('is as it was made', asRoot, async (t) => {
      const { problems } = await deployed(t, mode, hardlinks);
      assert.deepEqual(await problems(), []);
    });

    it('is told of what was changed, added, taken away and replaced', asRoot, async (t) => {
      const { rootfs, problems } = await deployed(t, mode, hardlinks);
      fs.appendFileSync(join(rootfs, 'etc/a'), 'x');
      fs.rmSync(join(rootfs, 'etc/b'));
      fs.writeFileSync(join(rootfs, 'etc/c'), '');
      fs.rmSync(join(rootfs, 'link'));
      fs.mkdirSync(join(rootfs, 'link'));
      assert.deepEqual(await problems(), ['/link type', '/etc/a content', '/etc/b missing', '/etc/c unexpected']);
    });
  });
}

describe('owners and modes', () => {
  it('count where files have those of the image', asRoot, async (t) => {
    const { rootfs, problems } = await deployed(t, 'bare', false);
    fs.chmodSync(join(rootfs, 'etc'), 0o755);
    fs.chmodSync(join(rootfs, 'etc/a'), 0o600);
    fs.chownSync(join(rootfs, 'etc/b'), 1, 1);
    assert.deepEqual(await problems(), ['/etc mode', '/etc/a mode', '/etc/b owner']);
  });
});

describe('an image in the repository', () => {
  it('is whole, or tells which of its objects are damaged or gone', asRoot, async (t) => {
    const repository = newStorage(t, 'bare');
    const { name } = await imageIn(t, [ENTRIES, [{ path: 'x', content: 'x' }]]);
    const { image } = await pulled(t, repository, name);
    assert.deepEqual(await verifyImage(repository, image, SIGNAL), []);
    const commit = await mergedCommit(repository, image, OPTIONS);
    const reader = objectsOf(repository);
    const x = findEntry(reader, reader.commit(commit), 'x');
    const a = findEntry(reader, reader.commit(commit), 'etc/a');
    assert.ok(x.kind === 'file' && a.kind === 'file');
    fs.appendFileSync(reader.find(x.checksum, 'file')?.path ?? '', 'more');
    fs.rmSync(reader.find(a.checksum, 'file')?.path ?? '');
    const problems = await verifyImage(repository, image, SIGNAL);
    const found = new Map(problems.map(({ checksum, type, problem }) => [checksum, `${type} ${problem}`]));
    assert.deepEqual([found.get(x.checksum), found.get(a.checksum)], ['file corrupt', 'file missing']);
    assert.equal(found.size, 2);
  });
});
