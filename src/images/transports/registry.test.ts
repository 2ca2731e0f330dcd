import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type FakeRegistry, type Fault, startFakeRegistry } from '../../../test/support/fake-registry.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import { digestOf, MEDIA } from '../../oci/index.ts';
import { parseImageName } from '../image-name.ts';
import { openImages } from '../images.ts';

const signal = new AbortController().signal;
const MANIFEST = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociManifest, layers: [] });
const NAME = 'docker://registry.test/team/os:v1';

/** Two mirrors and the place itself, which has the image. */
async function setting(t: TestContext) {
  const folder = scratch(t);
  const servers: FakeRegistry[] = [];
  for (let i = 0; i < 3; i++) servers.push(await startFakeRegistry());
  const [first, second, origin] = servers;
  assert.ok(first !== undefined && second !== undefined && origin !== undefined);
  origin.store.addManifest('team/os', MANIFEST, MEDIA.ociManifest, 'v1');
  const rule = (kind: string, { host }: FakeRegistry) => `${kind}\nlocation = "${host}/team"\ninsecure = true\n`;
  const conf = [
    rule('[[registry]]\nprefix = "registry.test/team"', origin),
    rule('[[registry.mirror]]', first),
    rule('[[registry.mirror]]', second),
  ];
  writeFileSync(join(folder, 'registries.conf'), conf.join('\n'), { mode: 0o644 });
  const notes: string[] = [];
  const images = openImages({
    http: { userAgent: 'tako/test', env: {}, retries: 0, retryDelayMs: 1, minRateWindowMs: 200 },
    registriesConf: join(folder, 'registries.conf'),
    onNote: (text) => void notes.push(text),
    env: { HOME: folder, XDG_RUNTIME_DIR: folder, PATH: process.env['PATH'] },
    uid: 0,
  });
  t.after(async () => {
    await images.close();
    for (const server of servers) await server.close();
  });
  const read = async () => {
    const source = await images.source(parseImageName(NAME), signal);
    return source.readManifest(undefined, signal);
  };
  return { folder, first, second, origin, notes, read, images };
}

describe('an image that has mirrors', () => {
  const FAULTS: Readonly<Record<string, Fault>> = {
    'is missing there': { kind: 'status', status: 404, code: 'MANIFEST_UNKNOWN' },
    'may not be read there': { kind: 'status', status: 403, code: 'DENIED' },
    'is asked for when they are out of order': { kind: 'status', status: 503 },
    'is asked for too often there': { kind: 'status', status: 429 },
    'is cut off there': { kind: 'reset', after: 0 },
    'never comes from there': { kind: 'stall' },
    'is something else there': { kind: 'replace', body: '<html>' },
  };
  for (const [what, fault] of Object.entries(FAULTS)) {
    it(`and ${what} comes from the next place`, async (t) => {
      const { first, second, origin, notes, read } = await setting(t);
      for (const mirror of [first, second]) {
        mirror.store.addManifest('team/os', MANIFEST, MEDIA.ociManifest, 'v1');
        mirror.fault({ path: '/manifests/' }, fault);
      }
      assert.equal(Buffer.from((await read()).bytes).toString(), MANIFEST);
      assert.equal(origin.requestsFor('/manifests/v1').length, 1);
      assert.equal(notes.filter((note) => note.endsWith('; trying the next place')).length, 2);
      assert.ok(notes[0]?.includes(first.host) && notes[1]?.includes(second.host), notes.join('\n'));
    });
  }

  it('comes from the first place that has it, and its blobs come from there, too', async (t) => {
    const { first, second, origin, images } = await setting(t);
    const blob = Buffer.from('layer');
    second.store.addManifest('team/os', MANIFEST, MEDIA.ociManifest, 'v1');
    second.store.addBlob('team/os', blob);
    await first.close(); // nobody answers there
    const source = await images.source(parseImageName(NAME), signal);
    await source.readManifest(undefined, signal);
    const chunks: Buffer[] = [];
    const layer = { mediaType: MEDIA.ociLayer, digest: digestOf(blob), size: blob.length };
    for await (const chunk of source.readBlob(layer, 0, signal)) chunks.push(Buffer.from(chunk));
    assert.deepEqual(Buffer.concat(chunks), blob);
    assert.equal(origin.requests.length, 0);
  });

  it('and is nowhere is refused with the code of the last place, and what each of them said', async (t) => {
    const { first, second, origin, read } = await setting(t);
    first.fault({ path: '/manifests/' }, { kind: 'status', status: 503 });
    second.fault({ path: '/manifests/' }, { kind: 'status', status: 403, code: 'DENIED', message: 'not you' });
    origin.fault({ path: '/manifests/' }, { kind: 'status', status: 404, code: 'MANIFEST_UNKNOWN', message: 'no tag' });
    const error = await read().then(
      () => assert.fail('it is nowhere'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof CodedError);
    assert.equal(error.code, 'REGISTRY_NOT_FOUND');
    for (const part of [NAME, first.host, second.host, origin.host, '503', 'not you', 'no tag']) {
      assert.ok(error.message.includes(part), `${part} in ${error.message}`);
    }
  });

  it('is not lost with a credential helper that fails for a mirror', async (t) => {
    const { folder, first, second, notes, read } = await setting(t);
    const auths = { credHelpers: { [first.host]: 'broken', [second.host]: 'broken' } };
    mkdirSync(join(folder, '.docker'));
    writeFileSync(join(folder, '.docker', 'config.json'), JSON.stringify(auths));
    assert.equal(Buffer.from((await read()).bytes).toString(), MANIFEST);
    assert.equal(first.requests.length + second.requests.length, 0);
    assert.equal(notes.filter((note) => /docker-credential-broken/.test(note)).length, 2, notes.join('\n'));
  });
});
