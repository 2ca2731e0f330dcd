import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import { digestOf } from '../digest.ts';
import { parseManifest } from '../manifest.ts';
import { MEDIA } from '../media-types.ts';
import { blob, configOf, type File, hexOf, items, layerOf, tarOf, whole, writeTar } from './docker-archive.fixture.ts';
import { openDockerArchive } from './docker-archive.ts';

const SEED = Number(process.env['SEED'] ?? 20261121);
const INTERESTING = Buffer.from('{}[]",:\\/@.-_0129eE nulltrue\0\xff', 'latin1');
const signal = new AbortController().signal;

async function archive(t: TestContext, files: readonly File[], pack = (bytes: Buffer): Buffer => bytes) {
  const path = join(scratch(t), 'a.tar');
  writeFileSync(path, pack(await tarOf(files)));
  const opened = await openDockerArchive(path, signal);
  t.after(() => opened.close());
  return opened;
}

async function simple(...contents: readonly string[]) {
  const layers = await Promise.all(contents.map(layerOf));
  const config = configOf(...layers);
  const files: File[] = [
    { path: 'config.json', data: config },
    ...layers.map((data, i) => ({ path: `${i}.tar`, data })),
  ];
  const item = { Config: 'config.json', RepoTags: ['app:v1'], Layers: layers.map((_, i) => `${i}.tar`) };
  return { layers, config, files, item };
}

describe('an archive of Docker', () => {
  it('has a manifest of schema 2 with its tars as layers, the same every time', async (t) => {
    const { layers, config, files, item } = await simple('one', 'two');
    const image = (await archive(t, [...files, items(item)])).image();
    const raw = await image.readManifest(undefined, signal);
    const manifest = parseManifest(raw);
    assert.ok(manifest.kind === 'image');
    assert.equal(manifest.mediaType, MEDIA.dockerManifest);
    assert.equal(manifest.config.digest, digestOf(config));
    assert.deepEqual(
      manifest.layers,
      layers.map((layer) => ({ mediaType: MEDIA.dockerLayer, digest: digestOf(layer), size: layer.length })),
    );
    assert.deepEqual(await whole(image.readBlob(manifest.config, 0, signal)), config);
    for (const [i, layer] of manifest.layers.entries()) {
      assert.deepEqual(await whole(image.readBlob(layer, 100, signal)), layers[i]?.subarray(100));
    }
    assert.equal((await image.readManifest(raw.digest, signal)).digest, raw.digest);
    await assert.rejects(image.readManifest(digestOf(config), signal), { code: 'IMAGE_MISSING' });
  });

  it('is read when it is compressed as a whole', async (t) => {
    const { layers, files, item } = await simple('one');
    const image = (await archive(t, [...files, items(item)], gzipSync)).image();
    assert.deepEqual(await whole(image.readBlob(blob(digestOf(layers[0] ?? Buffer.alloc(0))), 0, signal)), layers[0]);
  });

  it('may have compressed layers, which count as what they unpack to', async (t) => {
    const { layers, files, item } = await simple('one');
    const packed = files.map(({ path, data = '' }) =>
      path === '0.tar' ? { path, data: gzipSync(data as Uint8Array) } : { path, data },
    );
    const image = (await archive(t, [...packed, items(item)])).image();
    const manifest = parseManifest(await image.readManifest(undefined, signal));
    assert.ok(manifest.kind === 'image' && manifest.layers[0] !== undefined);
    assert.equal(manifest.layers[0].size, layers[0]?.length);
    assert.deepEqual(await whole(image.readBlob(manifest.layers[0], 513, signal)), layers[0]?.subarray(513));
  });

  it('of an old Docker links a layer that comes again to the first one', async (t) => {
    const layer = await layerOf('one');
    const config = configOf(layer, layer);
    const opened = await archive(t, [
      { path: 'a/', type: 'directory' },
      { path: 'a/layer.tar', data: layer },
      { path: 'b/layer.tar', type: 'symlink', linkTarget: '../a/layer.tar' },
      { path: 'c/layer.tar', type: 'hardlink', linkTarget: 'b/layer.tar' },
      { path: 'config.json', data: config },
      items({ Config: './config.json', RepoTags: null, Layers: ['b/layer.tar', 'c/layer.tar'] }),
    ]);
    const manifest = parseManifest(await opened.image().readManifest(undefined, signal));
    assert.ok(manifest.kind === 'image');
    assert.deepEqual(
      manifest.layers.map(({ digest, size }) => [digest, size]),
      [0, 1].map(() => [digestOf(layer), layer.length]),
    );
    assert.deepEqual(await whole(opened.image().readBlob(blob(digestOf(layer)), 0, signal)), layer);
  });

  it('of Docker 25 keeps its parts as blobs of an image layout', async (t) => {
    const layer = await layerOf('one');
    const config = configOf(layer);
    const place = (bytes: Buffer): string => `blobs/sha256/${hexOf(bytes)}`;
    const opened = await archive(t, [
      { path: place(config), data: config },
      { path: place(layer), data: layer },
      { path: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' },
      items({ Config: place(config), RepoTags: ['app:latest'], Layers: [place(layer)] }),
    ]);
    assert.deepEqual(await whole(opened.image('app').readBlob(blob(digestOf(layer)), 0, signal)), layer);
  });

  it('with several images is asked by name, normalised, or by number', async (t) => {
    const { files, item } = await simple('one');
    const opened = await archive(t, [
      ...files,
      items(item, { ...item, RepoTags: ['docker.io/library/other:latest', 'Not a name'] }, { ...item, RepoTags: [] }),
    ]);
    assert.equal(opened.find('docker.io/library/app:v1'), opened.images[0]);
    assert.equal(opened.find('other'), opened.images[1]);
    assert.equal(opened.find('@2'), opened.images[2]);
    assert.throws(() => opened.find(), {
      code: 'TAG_AMBIGUOUS',
      hint: 'name one of "app:v1", "docker.io/library/other:latest", @2',
    });
    for (const selector of ['app', '@3', '@-1', '@', 'unknown:v1']) {
      assert.throws(() => opened.find(selector), { code: 'IMAGE_MISSING' }, selector);
    }
    assert.throws(() => opened.find(`app@sha256:${'0'.repeat(64)}`), { code: 'BAD_REFERENCE' });
  });

  it('without manifest.json is none', async (t) => {
    const path = join(scratch(t), 'a.tar');
    await writeTar(path, [{ path: 'other', data: 'x' }]);
    await assert.rejects(openDockerArchive(path, signal), { code: 'NOT_A_LAYOUT' });
    writeFileSync(path, 'x'.repeat(2000));
    await assert.rejects(openDockerArchive(path, signal), { code: 'LAYOUT_MALFORMED' });
  });

  for (const [what, changed] of [
    ['a missing layer', { Layers: ['1.tar'] }],
    ['a layer outside', { Layers: ['../0.tar'] }],
    ['an absolute layer', { Layers: ['/0.tar'] }],
    ['a link that leads outside', { Layers: ['out.tar'] }],
    ['a link to itself', { Layers: ['loop.tar'] }],
    ['more layers than diff ids', { Layers: ['0.tar', '0.tar'] }],
    ['a missing configuration', { Config: 'none.json' }],
  ] as const) {
    it(`is refused with ${what}`, async (t) => {
      const { files, item } = await simple('one');
      const links: File[] = [
        { path: 'out.tar', type: 'symlink', linkTarget: '../../etc/passwd' },
        { path: 'loop.tar', type: 'symlink', linkTarget: 'loop.tar' },
      ];
      const opened = await archive(t, [...files, ...links, items({ ...item, ...changed })]);
      await assert.rejects(opened.image().readManifest(undefined, signal), { code: 'LAYOUT_MALFORMED' });
    });
  }

  for (const text of ['{}', '[1]', '[{"Config":1}]', '[{"Config":"c","Layers":"x"}]', 'null', '[', '[{"Layers":[]}]']) {
    it(`with the manifest.json ${text} is malformed`, async (t) => {
      const path = join(scratch(t), 'a.tar');
      await writeTar(path, [{ path: 'manifest.json', data: text }]);
      await assert.rejects(openDockerArchive(path, signal), { code: 'LAYOUT_MALFORMED' });
    });
  }

  it('gives a value or a coded error, whatever is changed in it', async (t) => {
    const { files, item } = await simple('one', 'two');
    const original = await tarOf([...files, items(item, { ...item, RepoTags: [] })]);
    const path = join(scratch(t), 'a.tar');
    const random = seededRandom(SEED);
    let [values, refused] = [0, 0];
    for (let round = 0; round < 400; round++) {
      writeFileSync(path, mutate(original, random, INTERESTING));
      try {
        const opened = await openDockerArchive(path, signal, 2 ** 20);
        try {
          const image = opened.image('@1');
          const manifest = parseManifest(await image.readManifest(undefined, signal));
          assert.ok(manifest.kind === 'image');
          for (const layer of manifest.layers) await whole(image.readBlob(layer, 0, signal));
          values++;
        } finally {
          opened.close();
        }
      } catch (error) {
        assert.ok(error instanceof CodedError, `seed ${SEED}, round ${round}: ${String(error)}`);
        refused++;
      }
    }
    assert.ok(values > 0 && refused > 0, `${values} values, ${refused} errors`);
  });
});
