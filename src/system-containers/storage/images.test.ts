import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  DirMetas,
  HEAD,
  MutableTree,
  PLAIN_DIRECTORY,
  type Repository,
  S_IFREG,
  string,
  type Vardict,
  type Variant,
  variantOf,
  withTransaction,
  writeCommit,
} from '../../ostree/index.ts';
import { findImage, imageTree, isStored, layerFacts, listImages, mergedCommit, readStoredConfig } from './index.ts';
import { imageIn, listed, newStorage, OPTIONS, pulled } from './storage.fixture.ts';

const A = [{ path: 'etc/a', content: 'a' }];

/** A branch as another program may have written it. */
function branch(
  repository: Repository,
  ref: string,
  metadata: Readonly<Record<string, string | Variant>>,
  files: Readonly<Record<string, string>> = {},
) {
  return withTransaction(repository, OPTIONS, async (transaction) => {
    const { writer } = transaction;
    const tree = MutableTree.empty();
    tree.setMeta(new DirMetas(writer).put(PLAIN_DIRECTORY));
    for (const [name, text] of Object.entries(files)) {
      const header = { uid: 0, gid: 0, mode: S_IFREG | 0o644, target: undefined, xattrs: [] };
      tree.putFile(name, writer.putFile(header, Buffer.from(text)).checksum);
    }
    const entries: Vardict = Object.entries(metadata).map(([key, value]) => [
      key,
      typeof value === 'string' ? variantOf(string, value) : value,
    ]);
    const commit = writeCommit(writer, tree.write(writer), { timestamp: 5, parent: '0'.repeat(64), metadata: entries });
    transaction.setRef({ place: HEAD, ref, commit });
    return commit;
  });
}

const digest = (pair: string) => `sha256:${pair.repeat(32)}` as const;

describe('a stored image', () => {
  it('is its manifest, its layers and its configuration', async (t) => {
    const { name, raw, layers, config, configDescriptor } = await imageIn(t, [A]);
    const repository = newStorage(t);
    const { image } = await pulled(t, repository, name);
    assert.deepEqual(listImages(repository), [image]);
    assert.equal(image.name, 'localhost/app:v1');
    assert.deepEqual(Buffer.from(image.raw), Buffer.from(raw.bytes));
    assert.deepEqual(
      [image.digest, image.layers, image.config, image.created],
      [raw.digest, layers.map((layer) => layer.digest), configDescriptor.digest, 1_600_000_000],
    );
    assert.deepEqual(readStoredConfig(repository, image)?.rootfs, config.rootfs);
  });

  for (const [what, textOf] of [
    ['its full name', () => 'localhost/app:v1'],
    ['its name in a registry', () => 'docker://localhost/app:v1'],
    ['where it came from', (made: { name: string }) => made.name],
    ['the beginning of its digest', (made: { raw: { digest: string } }) => made.raw.digest.slice(7, 20)],
  ] as const) {
    it(`is found by ${what}`, async (t) => {
      const made = await imageIn(t, [A]);
      const repository = newStorage(t);
      const { image } = await pulled(t, repository, made.name);
      assert.deepEqual(findImage(repository, textOf(made)), image);
    });
  }

  it('is not found by a beginning that two share, nor by anything else', async (t) => {
    const repository = newStorage(t);
    const first = await imageIn(t, [A]);
    await pulled(t, repository, first.name);
    await pulled(t, repository, first.name, { name: 'localhost/second' });
    for (const text of [first.raw.digest.slice(7, 20), 'app', 'localhost/app', 'x y', '']) {
      assert.equal(findImage(repository, text), undefined, text);
    }
  });

  it('that cannot be read is listed as broken, and hides no other', async (t) => {
    const repository = newStorage(t);
    const { name } = await imageIn(t, [A]);
    await pulled(t, repository, name);
    await branch(repository, 'ociimage/docker.io_2Fbroken_3A1', { 'docker.manifest': '{}' });
    const [broken, sound] = listImages(repository);
    assert.deepEqual(broken && isStored(broken), false);
    assert.equal(broken?.name, 'docker.io/broken:1');
    assert.equal(sound && isStored(sound), true);
    assert.throws(() => findImage(repository, 'docker.io/broken:1'), { code: 'BAD_STORED_IMAGE' });
  });
});

describe('branches of the earlier programs', () => {
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest: digest('cc'), size: 2 },
    layers: [
      { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest: digest('aa'), size: 1 },
      { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest: digest('bb'), size: 1 },
    ],
  });
  const layer = (t: TestContext, repository: Repository, pair: string, files: Readonly<Record<string, string>>) => {
    assert.ok(t);
    const facts = { 'docker.size': '10', 'docker.uncompressed_size': '20', 'docker.uncompressed_digest': digest('dd') };
    return branch(repository, `ociimage/${pair.repeat(32)}`, facts, files);
  };

  it('are an image, whose layers with whiteouts as files are merged', async (t) => {
    const repository = newStorage(t);
    const commit = await branch(repository, 'ociimage/docker.io_2Fold_3A1', {
      'docker.manifest': manifest,
      'docker.digest': digest('ee'),
      signatures: '0',
    });
    await layer(t, repository, 'aa', { a: '1', gone: '2' });
    await layer(t, repository, 'bb', { '.wh.gone': '', b: '3' });
    const image = findImage(repository, 'docker.io/old:1');
    assert.ok(image);
    assert.deepEqual(
      [image.commit, image.digest, image.created, image.verification],
      [commit, digest('ee'), 5, undefined],
    );
    assert.equal(readStoredConfig(repository, image), undefined);
    const merged = await mergedCommit(repository, image, OPTIONS);
    assert.deepEqual(listed(repository, merged), { a: '644 1', b: '644 3' });
    assert.equal(await mergedCommit(repository, image, OPTIONS), merged);
    assert.deepEqual(imageTree(repository, merged, image.name).list(''), ['a', 'b']);
  });

  it('may have the first prefix, their manifest as a file alone, and numbers as numbers', async (t) => {
    const repository = newStorage(t);
    await branch(repository, 'dockerimg/docker.io_2Fold_3A1', {}, { 'manifest.json': manifest });
    const uint64 = { signature: 't', bytes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) };
    const commit = await branch(repository, `dockerimg/${'aa'.repeat(32)}`, {
      'docker.size': uint64,
      'docker.uncompressed_size': '20',
      'docker.uncompressed_digest': digest('dd'),
    });
    assert.equal(findImage(repository, 'docker.io/old:1')?.layers.length, 2);
    assert.deepEqual(layerFacts(repository, digest('aa')), {
      size: 7,
      uncompressedSize: 20,
      diffId: digest('dd'),
      commit,
    });
  });

  it('may be of schema 1, which lists the uppermost layer first', async (t) => {
    const repository = newStorage(t);
    const old = {
      schemaVersion: 1,
      fsLayers: [{ blobSum: digest('bb') }, { blobSum: digest('aa') }],
      history: [],
    };
    await branch(repository, 'ociimage/docker.io_2Fold_3A1', { 'docker.manifest': JSON.stringify(old) });
    const image = findImage(repository, 'docker.io/old:1');
    assert.deepEqual([image?.layers, image?.config], [[digest('aa'), digest('bb')], undefined]);
  });

  for (const missing of ['docker.size', 'docker.uncompressed_size', 'docker.uncompressed_digest']) {
    it(`are no layer without ${missing}`, async (t) => {
      const repository = newStorage(t);
      const facts = { 'docker.size': '1', 'docker.uncompressed_size': '2', 'docker.uncompressed_digest': digest('dd') };
      await branch(repository, `ociimage/${'aa'.repeat(32)}`, { ...facts, [missing]: 'x' });
      assert.equal(layerFacts(repository, digest('aa')), undefined);
    });
  }

  it('without one of their layers are no tree, and tell which is missing', async (t) => {
    const repository = newStorage(t);
    await branch(repository, 'ociimage/docker.io_2Fold_3A1', { 'docker.manifest': manifest });
    await layer(t, repository, 'aa', {});
    const image = findImage(repository, 'docker.io/old:1');
    assert.ok(image);
    await assert.rejects(mergedCommit(repository, image, OPTIONS), {
      code: 'BAD_STORED_IMAGE',
      message: new RegExp(digest('bb')),
      hint: 'pull the image again',
    });
  });
});
