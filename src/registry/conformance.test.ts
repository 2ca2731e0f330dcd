/** The data sets of the distribution specification's conformance tests, sent and fetched by this client. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Descriptor,
  digestOf,
  EMPTY_DESCRIPTOR,
  EMPTY_JSON,
  MEDIA,
  parseManifest,
  type RawManifest,
  rawManifest,
} from '../oci/index.ts';
import type { RegistryRepository } from './index.ts';
import { bench, descriptorOf, drained, never, noise, sourceOf } from './registry.fixture.ts';

const CONFIG = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
const config: Descriptor = { ...descriptorOf(CONFIG), mediaType: MEDIA.ociConfig };
const layer = noise(20_000);

const manifestOf = (content: object): RawManifest =>
  rawManifest(
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociManifest, config, layers: [], ...content })),
  );
const indexOf = (manifests: readonly object[]): RawManifest =>
  rawManifest(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests })));
const described = ({ bytes, mediaType, digest }: RawManifest): Descriptor => ({
  mediaType,
  digest,
  size: bytes.length,
});

async function push(repository: RegistryRepository, raw: RawManifest, ...blobs: readonly Uint8Array[]): Promise<void> {
  for (const blob of [CONFIG, ...blobs]) {
    await repository.putBlob(descriptorOf(blob), sourceOf(blob).source, never);
  }
  await repository.putManifest(raw, raw.digest, never);
}

async function comesBack(repository: RegistryRepository, raw: RawManifest): Promise<void> {
  const found = await repository.getManifest(raw.digest, never);
  assert.deepEqual([found.digest, found.mediaType], [raw.digest, raw.mediaType]);
  assert.deepEqual(Buffer.from(found.bytes), Buffer.from(raw.bytes));
}

describe('the conformance data sets', () => {
  it('an empty blob as a layer', async (t) => {
    const { repository } = await bench(t);
    const empty = Buffer.alloc(0);
    const raw = manifestOf({ layers: [descriptorOf(empty)] });
    await push(repository, raw, empty);
    await comesBack(repository, raw);
    assert.equal(await repository.hasBlob(descriptorOf(empty).digest, never), 0);
    assert.equal((await drained(repository.readBlob(descriptorOf(empty), 0, never))).length, 0);
  });

  it('blobs and a manifest by sha512', async (t) => {
    const { repository } = await bench(t);
    const wide = descriptorOf(layer, 'sha512');
    await repository.putBlob(wide, sourceOf(layer).source, never);
    const content = manifestOf({ layers: [wide] });
    const raw = { ...content, digest: digestOf(content.bytes, 'sha512') };
    await push(repository, raw);
    await comesBack(repository, raw);
    assert.deepEqual(await drained(repository.readBlob(wide, 0, never)), layer);
  });

  it('an artifact whose config is the empty descriptor, its content in the data field', async (t) => {
    const { server, repository } = await bench(t);
    const embedded = { ...EMPTY_DESCRIPTOR, data: Buffer.from(EMPTY_JSON).toString('base64') };
    const raw = manifestOf({ artifactType: 'application/x', config: embedded, layers: [embedded] });
    await push(repository, raw, EMPTY_JSON);
    await comesBack(repository, raw);
    const manifest = parseManifest(await repository.getManifest(raw.digest, never));
    assert.ok(manifest.kind === 'image');
    assert.deepEqual(await drained(repository.readBlob(manifest.config, 0, never)), Buffer.from('{}'));
    assert.equal(server.requestsFor(`/blobs/${EMPTY_DESCRIPTOR.digest}`, 'GET').length, 0);
  });

  it('an index of indexes', async (t) => {
    const { repository } = await bench(t);
    const image = manifestOf({ layers: [descriptorOf(layer)] });
    const inner = indexOf([described(image)]);
    const outer = indexOf([described(inner), described(image)]);
    await push(repository, image, layer);
    for (const raw of [inner, outer]) await repository.putManifest(raw, raw.digest, never);
    await repository.putManifest(outer, 'nested', never);
    await comesBack(repository, outer);
    const top = parseManifest(await repository.getManifest('nested', never));
    assert.deepEqual(top.kind === 'index' && top.manifests.map(({ mediaType }) => mediaType), [
      MEDIA.ociIndex,
      MEDIA.ociManifest,
    ]);
  });

  it('fields that nobody knows', async (t) => {
    const { repository } = await bench(t);
    const raw = manifestOf({ layers: [{ ...descriptorOf(layer), 'org.example.extra': { a: [1] } }], 'org.example': 2 });
    await push(repository, raw, layer);
    await comesBack(repository, raw);
  });

  it('layers that are foreign and not sent', async (t) => {
    const { server, repository } = await bench(t);
    const foreign = { ...descriptorOf(layer), mediaType: MEDIA.ociForeign, urls: ['https://example.com/layer'] };
    const raw = manifestOf({ layers: [foreign] });
    await push(repository, raw);
    await comesBack(repository, raw);
    assert.equal(server.requestsFor(foreign.digest).length, 0);
  });

  it('a subject that is missing', async (t) => {
    for (const referrers of [true, false]) {
      const { repository } = await bench(t, { server: { referrers } });
      const missing = { mediaType: MEDIA.ociManifest, digest: digestOf(Buffer.from('gone')), size: 4 };
      const raw = manifestOf({ artifactType: 'application/x', subject: missing });
      await push(repository, raw);
      await repository.addReferrer(missing.digest, { ...described(raw), artifactType: 'application/x' }, never);
      await comesBack(repository, raw);
      const found = await repository.referrers(missing.digest, 'application/x', never);
      assert.deepEqual(
        found.map(({ digest }) => digest),
        [raw.digest],
      );
    }
  });
});
