import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitDigest } from '../../oci/index.ts';
import { fsck, HEAD, listRefs, objectsOf, type Repository, removeRef } from '../../ostree/index.ts';
import {
  deleteImage,
  findImage,
  type InUse,
  imageOfDeployment,
  mergedCommit,
  pruneImages,
  type StoredImage,
  tagImage,
} from './index.ts';
import { imageIn, lines, listed, newStorage, OPTIONS, pulled, SIGNAL } from './storage.fixture.ts';

const layer = (name: string) => [{ path: name, content: name }];
const names = (repository: Repository) => listRefs(repository).map(({ ref }) => ref);
const usedBy = (image: StoredImage, commit = image.commit): InUse => ({
  container: 'kvd',
  revision: splitDigest(image.digest).hex,
  imageCommit: commit,
});
const idle = { ...OPTIONS, inUse: () => [] };

describe('the name of an image', () => {
  it('is deleted, and its layers stay', async (t) => {
    const repository = newStorage(t);
    const { name, raw } = await imageIn(t, [layer('a')]);
    await pulled(t, repository, name);
    const dry = await deleteImage(repository, 'localhost/app:v1', { ...idle, dryRun: true, force: false });
    assert.deepEqual([dry.digest, names(repository).length], [raw.digest, 3]);
    const deleted = await deleteImage(repository, raw.digest.slice(7, 19), { ...idle, force: false });
    assert.deepEqual([deleted.name, names(repository).length], ['localhost/app:v1', 2]);
    await assert.rejects(deleteImage(repository, 'localhost/app:v1', { ...idle, force: false }), {
      code: 'IMAGE_NOT_STORED',
    });
  });

  it('stays while a deployment comes from the image, unless it has another or somebody insists', async (t) => {
    const repository = newStorage(t);
    const { name } = await imageIn(t, [layer('a')]);
    const { image } = await pulled(t, repository, name);
    const inUse = [usedBy(image, '0')];
    await assert.rejects(deleteImage(repository, image.name, { ...OPTIONS, inUse: () => inUse, force: false }), {
      code: 'IMAGE_IN_USE',
      message: /in use by kvd/,
    });
    await tagImage(repository, image.name, 'localhost/other', OPTIONS);
    await deleteImage(repository, image.name, { ...OPTIONS, inUse: () => inUse, force: false });
    await deleteImage(repository, 'localhost/other', { ...OPTIONS, inUse: () => inUse, force: true });
    assert.equal(findImage(repository, 'localhost/other'), undefined);
  });

  it('may be a second one, normalised, for the same commit', async (t) => {
    const repository = newStorage(t);
    const { name } = await imageIn(t, [layer('a')]);
    const { image } = await pulled(t, repository, name);
    assert.equal(await tagImage(repository, image.name, 'kvd', OPTIONS), 'docker.io/library/kvd:latest');
    assert.equal(findImage(repository, 'kvd')?.commit, image.commit);
    await assert.rejects(tagImage(repository, 'missing', 'kvd', OPTIONS), { code: 'IMAGE_NOT_STORED' });
    await assert.rejects(tagImage(repository, image.name, 'A B', OPTIONS), { code: 'BAD_REFERENCE' });
  });
});

describe('pruning', () => {
  /** Version 2 under the name that version 1 had. */
  async function twoVersions(repository: Repository, t: Parameters<typeof imageIn>[0]) {
    const first = await imageIn(t, [layer('base'), layer('one')]);
    const one = await pulled(t, repository, first.name);
    const merged = await mergedCommit(repository, one.image, OPTIONS);
    const second = await imageIn(t, [layer('base'), layer('two')], { directory: first.directory, tag: 'v2' });
    const two = await pulled(t, repository, second.name, { name: one.image.name });
    return { one: one.image, two: two.image, merged, first, second };
  }

  it('deletes the layers that no image has, says which, and keeps the others', async (t) => {
    const repository = newStorage(t);
    const { two, first, second } = await twoVersions(repository, t);
    const [base = '', old = ''] = first.layers.map(({ digest }) => splitDigest(digest).hex);
    const [, now = ''] = second.layers.map(({ digest }) => splitDigest(digest).hex);
    const { log, actions } = lines();
    const pruned = await pruneImages({ log }, repository, idle);
    const expected = [`layer ${base}: keep`, `layer ${old}: delete`, `layer ${now}: keep`];
    assert.deepEqual(actions.slice(0, -1).sort(), expected.sort());
    assert.equal(actions.at(-1), `pruned ${pruned.bytes} bytes`);
    assert.ok(pruned.bytes > 0);
    assert.deepEqual(pruned.deleted, [old, splitDigest(first.configDescriptor.digest).hex].sort());
    assert.deepEqual((await fsck(repository, { signal: SIGNAL })).findings, []);
    assert.deepEqual(listed(repository, await mergedCommit(repository, two, OPTIONS)), {
      base: '644 base',
      two: '644 two',
    });
    assert.deepEqual((await pruneImages({ log }, repository, idle)).deleted, []);
  });

  for (const [what, commitOf] of [
    ['its commit', (image: StoredImage) => image.commit],
    ['its digest alone', () => '0'],
  ] as const) {
    it(`keeps what a deployment needs, known by ${what}, though the name has moved on`, async (t) => {
      const repository = newStorage(t);
      const { one, merged } = await twoVersions(repository, t);
      const inUse = [usedBy(one, commitOf(one))];
      const { log } = lines();
      const pruned = await pruneImages({ log }, repository, { ...OPTIONS, inUse: () => inUse });
      assert.deepEqual(pruned.deleted, []);
      assert.ok(objectsOf(repository).has(merged, 'commit'));
      assert.deepEqual(imageOfDeployment(repository, inUse[0] ?? usedBy(one))?.layers, one.layers);
      const later = await pruneImages({ log }, repository, idle);
      assert.equal(later.deleted.length, 2);
      assert.equal(objectsOf(repository).has(merged, 'commit'), false);
      assert.equal(imageOfDeployment(repository, usedBy(one)), undefined);
    });
  }

  it('holds the image of a deployment of another program before it deletes anything', async (t) => {
    const repository = newStorage(t);
    const { one } = await twoVersions(repository, t);
    removeRef(repository, HEAD, `os-containers/image/${one.commit}`);
    removeRef(repository, HEAD, `os-containers/merged/${one.commit}`);
    const pruned = await pruneImages(lines(), repository, { ...OPTIONS, inUse: () => [usedBy(one, '0')] });
    assert.deepEqual(pruned.deleted, []);
    assert.ok(names(repository).includes(`os-containers/image/${one.commit}`));
  });

  it('only says what it would do in a dry run', async (t) => {
    const repository = newStorage(t);
    await twoVersions(repository, t);
    const before = names(repository);
    const told = lines();
    const { deleted, bytes } = await pruneImages(told, repository, { ...idle, dryRun: true });
    assert.deepEqual([deleted.length, names(repository)], [2, before]);
    assert.equal(told.actions.at(-1), `would prune ${bytes} bytes`);
  });

  it('waits for a pull that is at work', async (t) => {
    const repository = newStorage(t);
    const { openRepository } = await import('../../ostree/index.ts');
    const other = openRepository(repository.path);
    t.after(() => other.close());
    const held = await other.lock.acquire('shared', { signal: SIGNAL });
    await assert.rejects(pruneImages(lines(), repository, { ...idle, timeoutMs: 0 }), { code: 'LOCK_TIMEOUT' });
    held.release();
  });
});
