import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { silent } from '../../base/progress.ts';
import { type Images, openImages, parseImageName } from '../../images/index.ts';
import { digestOf, openLayout, parseConfig, parseManifest, type RawManifest } from '../../oci/index.ts';
import { type NewImage, type NewLayer, openNewImage } from './index.ts';

const { signal } = new AbortController();
const CREATED = '2020-01-02T03:04:05Z';
const PARTS = {
  config: { architecture: 'amd64', os: 'linux', config: { Labels: { a: 'b' } } },
  annotations: { a: 'b' },
};

function scratch(t: TestContext): string {
  const folder = fs.mkdtempSync('/var/tmp/tako-test-');
  t.after(() => fs.rmSync(folder, { recursive: true }));
  return folder;
}

function imagesHere(t: TestContext): Images {
  const http = { userAgent: 'test' };
  const images = openImages({ http, onNote: () => undefined, env: {}, uid: 0 });
  t.after(() => images.close());
  return images;
}

async function begin(t: TestContext, folder: string): Promise<NewImage> {
  const destination = parseImageName(`oci:${join(folder, 'layout')}:one`);
  const image = await openNewImage({
    images: imagesHere(t),
    destination,
    created: CREATED,
    tmp: folder,
    onProgress: silent,
    signal,
  });
  t.after(() => image.close());
  return image;
}

async function add(image: NewImage, text: string, about: Partial<NewLayer> = {}) {
  return image.addLayer(async (sink) => sink(Buffer.from(text)), { createdBy: `makes ${text}`, ...about });
}

function stored(folder: string, raw: RawManifest) {
  const manifest = parseManifest(raw);
  assert.equal(manifest.kind, 'image');
  if (manifest.kind !== 'image') throw new Error('unreachable');
  const blob = (digest: string) => fs.readFileSync(join(folder, 'layout/blobs', digest.replace(':', '/')));
  return { manifest, config: parseConfig(blob(manifest.config.digest)), blob };
}

describe('an image in the making', () => {
  it('has its layers in the order of the calls, also when they are made at once', async (t) => {
    const folder = scratch(t);
    const image = await begin(t, folder);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = image.addLayer(
      async (sink) => {
        await sink(Buffer.from('fir'));
        await held;
        await sink(Buffer.from('st'));
      },
      { createdBy: 'slow', annotations: { x: 'y' } },
    );
    const quick = await add(image, 'second');
    release();
    const first = await slow;
    const raw = await image.finish(PARTS);
    const { manifest, config, blob } = stored(folder, raw);
    assert.deepEqual(manifest.layers, [first.descriptor, quick.descriptor]);
    assert.deepEqual(manifest.layers[0]?.annotations, { x: 'y' });
    assert.equal(gunzipSync(blob(first.descriptor.digest)).toString(), 'first');
    assert.deepEqual(config.rootfs.diff_ids, [digestOf(Buffer.from('first')), digestOf(Buffer.from('second'))]);
    assert.deepEqual(config.history, [
      { created: CREATED, created_by: 'slow' },
      { created: CREATED, created_by: 'makes second' },
    ]);
    assert.equal(config.created, CREATED);
    assert.deepEqual(manifest.annotations, { a: 'b' });
    const layout = openLayout(join(folder, 'layout'));
    t.after(() => layout.close());
    assert.equal(layout.find('one').digest, raw.digest);
  });

  it('is the same when it is made again', async (t) => {
    const digests: string[] = [];
    for (let i = 0; i < 2; i++) {
      const image = await begin(t, scratch(t));
      await add(image, 'x'.repeat(100_000));
      digests.push((await image.finish(PARTS)).digest);
    }
    assert.equal(digests[0], digests[1]);
  });

  it('takes layers of another image as they are, and asks for those alone that are not there', async (t) => {
    const folder = scratch(t);
    const bytes = Buffer.from('a layer of Docker');
    const descriptor = {
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
      digest: digestOf(bytes),
      size: bytes.length,
    };
    let asked = 0;
    const other = {
      async *readBlob() {
        asked++;
        yield bytes;
      },
    };
    for (let i = 0; i < 2; i++) {
      const image = await begin(t, folder);
      image.addLayerOf(other, { descriptor, diffId: descriptor.digest, history: { created_by: 'them' } });
      await add(image, 'ours');
      const { manifest, config } = stored(folder, await image.finish(PARTS));
      assert.equal(manifest.layers[0]?.digest, descriptor.digest);
      assert.equal(manifest.layers[0]?.mediaType, 'application/vnd.oci.image.layer.v1.tar');
      assert.equal(config.history?.[0]?.created_by, 'them');
      assert.equal(asked, 1);
      await image.close();
    }
  });

  it('leaves nothing behind when a layer fails', async (t) => {
    const folder = scratch(t);
    const image = await begin(t, folder);
    await add(image, 'good');
    const failure = new Error('no more');
    const layer = image.addLayer(
      async (sink) => {
        await sink(Buffer.from('x'));
        throw failure;
      },
      { createdBy: 'bad' },
    );
    await assert.rejects(layer, failure);
    await image.close();
    assert.deepEqual(fs.readdirSync(folder), []);
  });
});
