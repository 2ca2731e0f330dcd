import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseImageName } from '../../../images/index.ts';
import { HEAD, listRefs, type Repository, withTransaction } from '../../../ostree/index.ts';
import { SIGNAL } from '../../stream/stream.fixture.ts';
import { pullIntoStore } from '../pull/index.ts';
import { findImage, imageRef, layerRef } from '../records/index.ts';
import { imageOf, newStore, pullOptions } from '../store.fixture.ts';
import { copyStoredImage, imageHistory, pruneLayers, removeImages } from './index.ts';

const options = { signal: SIGNAL, fsync: false };

async function stored(t: TestContext) {
  const image = await imageOf(t, { components: 1, derived: [[{ path: 'usr/x', content: 'x' }]] });
  const repository = newStore(t);
  const { commit } = await pullIntoStore(repository, pullOptions(t, image.name));
  return { ...image, repository, merge: commit, image: parseImageName(image.name) };
}

const refsOf = (repository: Repository): string[] => listRefs(repository).map(({ ref }) => ref);

function setRef(repository: Repository, ref: string, commit: string): Promise<void> {
  return withTransaction(repository, options, async (transaction) => {
    transaction.setRef({ place: HEAD, ref, commit });
  });
}

describe('refs as the established tools write them', () => {
  it('are those of the examples', () => {
    const name = parseImageName('docker://quay.io/coreos/fedora:latest');
    assert.equal(imageRef(name), 'ostree/container/image/docker_3A__2F__2F_quay_2E_io/coreos/fedora_3A_latest');
    const digest = `sha256:${'ab'.repeat(32)}` as const;
    assert.equal(layerRef(digest), `ostree/container/blob/sha256_3A_${'ab'.repeat(32)}`);
  });
});

describe('layers that nothing needs', () => {
  it('go with their image, and a dry run only says so', async (t) => {
    const { repository, image, layers } = await stored(t);
    const before = refsOf(repository);
    assert.deepEqual((await pruneLayers(repository, options)).dropped, []);
    const plan = await removeImages(repository, [image], { ...options, dryRun: true, skipGc: false });
    assert.deepEqual([plan.removed, refsOf(repository)], [[image], before]);
    const removed = await removeImages(repository, [image], { ...options, skipGc: true });
    assert.equal(removed.layers, undefined);
    assert.deepEqual(refsOf(repository), layers.map(layerRef).sort());
    assert.equal((await pruneLayers(repository, { ...options, dryRun: true })).dropped.length, 3);
    assert.equal((await pruneLayers(repository, options)).dropped.length, 3);
    assert.deepEqual(refsOf(repository), []);
  });

  for (const holder of ['ostree/0/1/0', 'ostree/1/0/3', 'rpmostree/base/0', 'ostree/container/baseimage/tool/a']) {
    it(`stay while ${holder} leads to their image`, async (t) => {
      const { repository, image, merge } = await stored(t);
      await setRef(repository, holder, merge);
      await removeImages(repository, [image], { ...options, skipGc: false });
      assert.equal((await pruneLayers(repository, options)).kept, 3);
    });
  }

  it('stay when another tool holds the commit of one, and only that one', async (t) => {
    const { repository, image, commit, layers } = await stored(t);
    await setRef(repository, 'ostree/container/baseimage/tool', commit);
    const { layers: pruned } = await removeImages(repository, [image], { ...options, skipGc: false });
    assert.deepEqual(pruned?.dropped, layers.slice(1).map(layerRef).sort());
  });

  it('are waited for while a pull is at work', async (t) => {
    const { repository, image } = await stored(t);
    const other = newStore(t);
    await pullIntoStore(other, pullOptions(t, `oci:${image.location}`));
    const held = await repository.lock.acquire('shared', { signal: SIGNAL });
    const { openRepository } = await import('../../../ostree/index.ts');
    const again = openRepository(repository.path);
    t.after(() => again.close());
    await assert.rejects(pruneLayers(again, { ...options, timeoutMs: 0 }), { code: 'LOCK_TIMEOUT' });
    held.release();
  });
});

describe('an image that is copied', () => {
  it('has the same refs in the other repository, and nothing moves the second time', async (t) => {
    const { repository, image } = await stored(t);
    const into = newStore(t);
    const copy = { ...options, onProgress: () => undefined };
    const first = await copyStoredImage(repository, into, image, copy);
    assert.deepEqual([first.layers, listRefs(into)], [3, listRefs(repository)]);
    assert.equal((await copyStoredImage(repository, into, image, copy)).objects, 0);
  });

  it('needs the refs of its layers, and to be there', async (t) => {
    const { repository, image, layers } = await stored(t);
    const { removeRef } = await import('../../../ostree/index.ts');
    removeRef(repository, HEAD, layerRef(layers[1] ?? 'sha256:'));
    const copy = { ...options, onProgress: () => undefined };
    const into = newStore(t);
    await assert.rejects(copyStoredImage(repository, into, image, copy), { code: 'LAYER_NOT_STORED' });
    await assert.rejects(copyStoredImage(repository, into, parseImageName('oci:/no'), copy), {
      code: 'IMAGE_NOT_STORED',
    });
    assert.deepEqual(refsOf(into), []);
  });
});

describe('the history of an image', () => {
  it('has a row for each layer, and for steps that made none', async (t) => {
    const { repository, image, layers } = await stored(t);
    const found = findImage(repository, image);
    const rows = imageHistory(found).map(({ layer, createdBy }) => [layer?.digest, createdBy]);
    assert.deepEqual(rows, [
      [layers[0], 'component 0'],
      [layers[1], 'component 1'],
      [layers[2], 'derived 2'],
    ]);
    const config = JSON.parse(Buffer.from(found.config).toString());
    config.history = [{ created_by: 'base' }, { created_by: 'ENV a=b', empty_layer: true }];
    const shown = imageHistory({ ...found, config: Buffer.from(JSON.stringify(config)) });
    assert.deepEqual(
      shown.map(({ layer, createdBy }) => [layer?.digest, createdBy]),
      [
        [layers[0], 'base'],
        [undefined, 'ENV a=b'],
        [layers[1], ''],
        [layers[2], ''],
      ],
    );
  });
});
