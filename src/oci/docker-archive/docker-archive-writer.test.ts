import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { digestOf } from '../digest.ts';
import { blobOf, origin } from '../layout/layout.fixture.ts';
import { encodeManifest, type RawManifest, rawManifest } from '../manifest.ts';
import { MEDIA } from '../media-types.ts';
import { parseNamed } from '../reference.ts';
import { configOf, layerOf, whole } from './docker-archive.fixture.ts';
import { openDockerArchive } from './docker-archive.ts';
import { type DockerArchiveWriter, writeDockerArchive } from './docker-archive-writer.ts';
import { encodeRepositories, legacyLayers } from './legacy.ts';

const signal = new AbortController().signal;

interface Made {
  readonly raw: RawManifest;
  readonly parts: readonly Buffer[];
}

async function made(mediaType: string, ...contents: readonly string[]): Promise<Made> {
  const layers = await Promise.all(contents.map(layerOf));
  const config = configOf(...layers);
  const bytes = encodeManifest({
    kind: 'image',
    mediaType: MEDIA.dockerManifest,
    artifactType: undefined,
    config: { mediaType: MEDIA.dockerConfig, digest: digestOf(config), size: config.length },
    layers: layers.map((layer) => ({ mediaType, digest: digestOf(layer), size: layer.length })),
    subject: undefined,
    annotations: {},
  });
  return { raw: rawManifest(bytes), parts: [config, ...layers] };
}

async function put(writer: DockerArchiveWriter, { parts }: Made): Promise<void> {
  for (const part of [...parts].reverse()) {
    const { bytes, descriptor } = blobOf(part);
    await writer.writeBlob(descriptor, origin(bytes).source, signal);
  }
}

async function writer(t: TestContext, name = 'a.tar') {
  const dir = scratch(t);
  const path = join(dir, name);
  const opened = await writeDockerArchive(path);
  t.after(() => opened.close());
  return { dir, path, opened };
}

describe('writing an archive of Docker', () => {
  it('gives what can be read again, under the names that were asked for', async (t) => {
    const { dir, path, opened } = await writer(t);
    const [one, two] = [await made(MEDIA.dockerLayer, 'a', 'b'), await made(MEDIA.dockerLayer, 'a', 'c')];
    await put(opened, one);
    await put(opened, two);
    opened.addImage(one.raw, [parseNamed('app:v1'), parseNamed('localhost/x')]);
    opened.addImage(two.raw, []);
    await opened.finish(signal);
    assert.deepEqual(readdirSync(dir), ['a.tar']);
    assert.equal(statSync(path).mode & 0o777, 0o644);
    const archive = await openDockerArchive(path, signal);
    t.after(() => archive.close());
    assert.deepEqual(
      archive.images.map(({ repoTags }) => repoTags),
      [['docker.io/library/app:v1', 'localhost/x:latest'], []],
    );
    for (const [i, { raw, parts }] of [one, two].entries()) {
      const image = archive.image(`@${i}`);
      assert.equal((await image.readManifest(undefined, signal)).digest, raw.digest);
      for (const part of parts) {
        assert.deepEqual(await whole(image.readBlob(blobOf(part).descriptor, 0, signal)), part);
      }
    }
  });

  it('gives the same bytes whatever the order in which blobs came', async (t) => {
    const image = await made(MEDIA.dockerLayer, 'a', 'b');
    const archives = [];
    for (const parts of [image.parts, [...image.parts].reverse()]) {
      const { path, opened } = await writer(t);
      await put(opened, { ...image, parts });
      opened.addImage(image.raw, []);
      await opened.finish(signal);
      archives.push(digestOf(readFileSync(path)));
    }
    assert.equal(archives[0], archives[1]);
  });

  it('refuses an archive that exists, and anything that is no file', async (t) => {
    const dir = scratch(t);
    writeFileSync(join(dir, 'full'), 'x');
    mkdirSync(join(dir, 'folder'));
    writeFileSync(join(dir, 'empty'), '');
    await assert.rejects(writeDockerArchive(join(dir, 'full')), { name: 'OciError', code: 'ARCHIVE_EXISTS' });
    await assert.rejects(writeDockerArchive(join(dir, 'folder')), { code: 'NOT_A_REGULAR_FILE' });
    await assert.rejects(writeDockerArchive('/dev/null'), { code: 'NOT_A_REGULAR_FILE' });
    (await writeDockerArchive(join(dir, 'empty'))).discard();
    assert.deepEqual(readdirSync(dir).sort(), ['empty', 'folder', 'full']);
  });

  it('does not replace an archive that has come meanwhile', async (t) => {
    const { path, opened } = await writer(t);
    const image = await made(MEDIA.dockerLayer, 'a');
    await put(opened, image);
    opened.addImage(image.raw, []);
    writeFileSync(path, 'of somebody else');
    await assert.rejects(opened.finish(signal), { name: 'OciError', code: 'ARCHIVE_EXISTS' });
    assert.equal(readFileSync(path, 'utf8'), 'of somebody else');
  });

  it('goes on with what an interrupted run has staged', async (t) => {
    const { path, opened } = await writer(t);
    const { bytes, descriptor } = blobOf(Buffer.alloc(5000, 'x'));
    await assert.rejects(opened.writeBlob(descriptor, origin(bytes, { failAt: 3000 }).source, signal));
    opened.close();
    assert.ok(!existsSync(path));
    const again = await writeDockerArchive(path);
    t.after(() => again.discard());
    const rest = origin(bytes);
    await again.writeBlob(descriptor, rest.source, signal);
    assert.deepEqual(rest.asked, [3000]);
  });

  it('refuses compressed layers, layers of other diff ids and blobs that never came', async (t) => {
    const { opened } = await writer(t);
    const packed = await made(MEDIA.dockerLayerGzip, 'a');
    await put(opened, packed);
    assert.throws(() => opened.addImage(packed.raw, []), { code: 'LAYER_UNSUPPORTED' });
    const absent = await made(MEDIA.dockerLayer, 'never written');
    assert.throws(() => opened.addImage(absent.raw, []), { code: 'BLOB_MISSING' });
    const text = Buffer.from((await made(MEDIA.dockerLayer, 'a')).raw.bytes).toString();
    const others = rawManifest(Buffer.from(text.replace(/"layers":\[.*\]/, '"layers":[]')));
    assert.throws(() => opened.addImage(others, []), { code: 'MANIFEST_MALFORMED' });
  });
});

describe('the parts for old versions of Docker', () => {
  const [a, b] = [digestOf(Buffer.from('a')), digestOf(Buffer.from('b'))];

  it('chain the layers, and have the configuration at the top', () => {
    const [first, second, more] = legacyLayers([a, b], { os: 'linux', config: { Cmd: ['<&>'] } });
    assert.equal(more, undefined);
    assert.deepEqual([first?.layer, second?.layer], [a, b]);
    assert.equal(Buffer.from(first?.json ?? '').toString(), `{"id":"${first?.id}"}`);
    assert.equal(
      Buffer.from(second?.json ?? '').toString(),
      `{"architecture":null,"config":{"Cmd":["\\u003c\\u0026\\u003e"]},"container":null,"container_config":null,` +
        `"created":null,"docker_version":null,"id":"${second?.id}","os":"linux","parent":"${first?.id}"}`,
    );
    assert.equal(first?.id, digestOf(Buffer.from(`{"layer_id":"${a}"}`)).slice(7));
  });

  it('name the highest layer by repository and tag', () => {
    const tagged = ['b:2', 'a:1', 'b:1'].map((name, i) => ({ name: parseNamed(name), id: `${i}` }));
    assert.equal(
      Buffer.from(encodeRepositories(tagged)).toString(),
      '{"docker.io/library/a":{"1":"1"},"docker.io/library/b":{"1":"2","2":"0"}}',
    );
  });
});
