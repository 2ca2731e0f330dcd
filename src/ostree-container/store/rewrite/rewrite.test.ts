import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../../test/support/scratch.ts';
import { vardict } from '../../../gvariant/index.ts';
import { parseImageName } from '../../../images/index.ts';
import { hostPlatform, parseConfig } from '../../../oci/index.ts';
import { contentChecksum, objectsOf, string, variantOf } from '../../../ostree/index.ts';
import { pullIntoStore } from '../pull/index.ts';
import { findImage } from '../records/index.ts';
import { imageOf, newStore, pullOptions } from '../store.fixture.ts';
import { reexportImage, replaceDetachedMetadata } from './index.ts';

const DERIVED = [
  [
    { path: 'etc', type: 'directory' as const, mode: 0o711 },
    { path: 'etc/new', content: 'new', uid: 3 },
    { path: 'usr/lib/.wh.one', content: '' },
    { path: 'usr/a', content: 'same' },
    { path: 'usr/b', content: 'same' },
  ],
];

describe('a stored image that is written back', () => {
  it('gives the same tree, in as many layers, and names its new last layer', async (t) => {
    const { name, commit } = await imageOf(t, { components: 2, derived: DERIVED });
    const [first, second] = [newStore(t), newStore(t)];
    const one = await pullIntoStore(first, pullOptions(t, name));
    const destination = parseImageName(`oci:${join(scratch(t), 'out')}`);
    const { images, signal, onProgress } = pullOptions(t, name);
    const raw = await reexportImage(first, parseImageName(name), { images, destination, signal, onProgress });
    const again = await reexportImage(first, parseImageName(name), { images, destination, signal, onProgress });
    assert.equal(raw.digest, again.digest);
    const two = await pullIntoStore(second, pullOptions(t, `oci:${destination.location}`));
    assert.equal(two.baseCommit, commit);
    assert.equal(
      contentChecksum(objectsOf(second).commit(two.commit)),
      contentChecksum(objectsOf(first).commit(one.commit)),
    );
    const { config, image } = findImage(second, destination);
    const { rootfs, history, config: run } = parseConfig(config);
    assert.equal(run?.Labels?.['ostree.final-diffid'], rootfs.diff_ids[2]);
    assert.equal(image.layers.length, 4);
    assert.deepEqual(
      history?.map(({ created_by }) => created_by),
      ['component 0', 'component 1', 'component 2', 'derived 3'],
    );
  });
});

describe('other detached metadata', () => {
  const metadata = vardict.encode([['note', variantOf(string, 'later')]]);

  for (const components of [0, 1]) {
    it(`go into the first of ${components + 1} layers of the commit, which stays the same`, async (t) => {
      const { name, commit, layers } = await imageOf(t, { components, derived: DERIVED });
      const { images, signal, onProgress } = pullOptions(t, name);
      const replace = async (from: string, detached: Uint8Array | undefined): Promise<string> => {
        const destination = parseImageName(`oci:${join(scratch(t), 'out')}`);
        const options = { images, destination, platform: hostPlatform(), detached, onProgress, signal };
        await replaceDetachedMetadata(parseImageName(from), options);
        return `oci:${destination.location}`;
      };
      const signed = await replace(name, metadata);
      const store = newStore(t);
      const pulled = await pullIntoStore(store, pullOptions(t, signed));
      assert.equal(pulled.baseCommit, commit);
      assert.deepEqual(objectsOf(store).metadataIfPresent(commit, 'commitmeta'), Buffer.from(metadata));
      const { image } = findImage(store, parseImageName(signed));
      assert.deepEqual(
        image.layers.slice(1).map(({ digest }) => digest),
        layers.slice(1),
      );
      const plain = newStore(t);
      const back = await pullIntoStore(plain, pullOptions(t, await replace(signed, undefined)));
      assert.equal(back.baseCommit, commit);
      assert.equal(objectsOf(plain).metadataIfPresent(commit, 'commitmeta'), undefined);
    });
  }

  it('that are none, or an image without a commit, are refused', async (t) => {
    const { name } = await imageOf(t);
    const { images, signal, onProgress } = pullOptions(t, name);
    const destination = parseImageName(`oci:${join(scratch(t), 'out')}`);
    const options = { images, destination, platform: hostPlatform(), onProgress, signal };
    await assert.rejects(replaceDetachedMetadata(parseImageName(name), { ...options, detached: Buffer.from('x') }), {
      code: 'OBJECT_MALFORMED',
    });
    const other = await imageOf(t, { labels: { 'ostree.commit': undefined, 'ostree.final-diffid': undefined } });
    await assert.rejects(replaceDetachedMetadata(parseImageName(other.name), { ...options, detached: undefined }), {
      code: 'NO_COMMIT_IN_IMAGE',
    });
  });
});
