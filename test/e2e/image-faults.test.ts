/** What a registry can do wrong: each has its status and code, and the destination stays as it was. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createLayout, digestOf, type RawManifest, rawManifest } from '../../src/oci/index.ts';
import { type FakeRegistry, type Fault, type FaultRule, startFakeRegistry } from '../support/fake-registry.ts';
import { type MadeImage, makeImage, makeIndex } from '../support/oci-image.ts';
import { makeScratch, removeTree, scratch } from '../support/scratch.ts';
import { copied, IMPATIENT, PLAIN_DESTINATION, PLAIN_SOURCE, refusalOf, runCopy } from './image-program.ts';

const LAYER = Buffer.alloc(300_000, 'some bytes that nobody packs ');

describe('a registry that fails', () => {
  let folder: string;
  let registry: FakeRegistry;
  let image: MadeImage;
  let index: Awaited<ReturnType<typeof makeIndex>>;
  let name: string;

  before(async () => {
    folder = makeScratch();
    registry = await startFakeRegistry();
    const layers = [[{ path: 'file', content: LAYER }], [{ path: 'other', content: 'x' }]];
    image = await makeImage(join(folder, 'layout'), { tag: 'v1', packing: 'none', layers });
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
    index = await makeIndex(
      join(folder, 'layout'),
      platforms.map((platform) => ({ platform })),
      'many',
    );
    name = `docker://${registry.host}/os`;
    await copied([`oci:${folder}/layout:v1`, `${name}:v1`, PLAIN_DESTINATION]);
    await copied(['--all', `oci:${folder}/layout:many`, `${name}:many`, PLAIN_DESTINATION]);
    await makeImage(join(folder, 'before'), { tag: 'v1' });
  });
  after(async () => {
    await registry.close();
    removeTree(folder);
  });

  const layerPath = () => `/blobs/${image.layers[0]?.digest}`;
  const blob = (): FaultRule => ({ method: 'GET', path: layerPath() });
  const manifest = (tag = 'v1'): FaultRule => ({ method: 'GET', path: `/manifests/${tag}` });

  /** A pull over another image of the same tag, which stays. */
  async function pull(
    rule: FaultRule,
    fault: Fault,
    ...words: readonly string[]
  ): Promise<readonly [number | null, string]> {
    const target = join(folder, 'target');
    removeTree(target);
    await copied([`oci:${folder}/before:v1`, `oci:${target}:v1`]);
    const before = readFileSync(join(target, 'index.json'));
    registry.fault(rule, fault);
    try {
      return await refusalOf([
        'copy',
        '--insecure-policy',
        PLAIN_SOURCE,
        ...IMPATIENT,
        ...words,
        `${name}:v1`,
        `oci:${target}:v1`,
      ]);
    } finally {
      registry.heal();
      assert.deepEqual(readFileSync(join(target, 'index.json')), before, 'the destination stays as it was');
      assert.equal(existsSync(join(target, 'blobs', ...(image.layers[0]?.digest ?? '').split(':'))), false);
    }
  }

  const CASES: readonly (readonly [string, () => FaultRule, Fault, number, string])[] = [
    [
      '429 for the manifest',
      manifest,
      { kind: 'status', status: 429, code: 'TOOMANYREQUESTS' },
      4,
      'REGISTRY_RATE_LIMITED',
    ],
    [
      '429 that asks for an hour',
      manifest,
      { kind: 'status', status: 429, headers: { 'retry-after': '3600' } },
      4,
      'REGISTRY_RATE_LIMITED',
    ],
    ['500 for the manifest', manifest, { kind: 'status', status: 500 }, 4, 'REGISTRY_UNAVAILABLE'],
    ['503 for a blob', blob, { kind: 'status', status: 503 }, 4, 'REGISTRY_UNAVAILABLE'],
    ['404 for a blob', blob, { kind: 'status', status: 404, code: 'BLOB_UNKNOWN' }, 1, 'REGISTRY_NOT_FOUND'],
    ['403 for a blob', blob, { kind: 'status', status: 403, code: 'DENIED' }, 1, 'REGISTRY_DENIED'],
    ['a stall before the answer', manifest, { kind: 'stall' }, 4, 'HTTP_STALLED'],
    ['a stall in the middle of a blob', blob, { kind: 'stall', after: 1000 }, 4, 'HTTP_STALLED'],
    ['a reset in the middle of a blob', blob, { kind: 'reset', after: 0 }, 4, 'HTTP_INTERRUPTED'],
    ['a blob of another length', blob, { kind: 'replace', body: Buffer.alloc(LAYER.length) }, 3, 'INVALID_SIZE'],
    ['an endless blob', blob, { kind: 'endless' }, 3, 'INVALID_SIZE'],
    ['a manifest of other bytes', manifest, { kind: 'replace', body: '{"schemaVersion":2}' }, 3, 'INVALID_DIGEST'],
    ['an endless manifest', manifest, { kind: 'endless' }, 3, 'TOO_LARGE'],
  ];
  for (const [what, rule, fault, status, code] of CASES) {
    it(`${what}: status ${status}, ${code}`, async () => {
      assert.deepEqual(await pull(rule(), fault), [status, code]);
    });
  }

  it('a blob of other bytes: status 3, INVALID_DIGEST', async () => {
    const body = Buffer.alloc(image.layers[0]?.size ?? 0);
    assert.deepEqual(await pull(blob(), { kind: 'replace', body }), [3, 'INVALID_DIGEST']);
  });

  it('once is asked again', async () => {
    for (const fault of [
      { kind: 'status', status: 500 },
      { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
      { kind: 'reset', after: 1000 },
      { kind: 'truncate', after: 1000 },
    ] as const) {
      registry.fault({ ...blob(), times: 1 }, fault);
      const target = join(folder, `once-${fault.kind}`);
      removeTree(target);
      assert.equal(await copied([`${name}:v1`, `oci:${target}:v1`, PLAIN_SOURCE]), image.raw.digest);
      registry.heal();
    }
  });

  it('with a truncated index copies nothing: status 1, MANIFEST_MALFORMED', async () => {
    const bytes = Buffer.from(index.raw.bytes).subarray(0, 100);
    registry.store.addManifest('os', bytes, index.raw.mediaType, 'cut');
    const words = ['copy', '--insecure-policy', '--all', PLAIN_SOURCE, `${name}:cut`, `oci:${folder}/cut:v1`];
    assert.deepEqual(await refusalOf(words), [1, 'MANIFEST_MALFORMED']);
    assert.equal(existsSync(join(folder, 'cut')), false);
  });

  it('to have a member of an index copies nothing', async () => {
    const member = index.members[1]?.raw.digest ?? '';
    registry.fault(manifest(member), { kind: 'status', status: 404 });
    const words = ['copy', '--insecure-policy', '--all', PLAIN_SOURCE, `${name}:many`, `oci:${folder}/holes:v1`];
    const refusal = await refusalOf(words);
    registry.heal();
    assert.deepEqual(refusal, [1, 'REGISTRY_NOT_FOUND']);
    assert.equal(existsSync(join(folder, 'holes')), false);
  });

  it('in the middle of a push leaves the tag as it was', async () => {
    const before = registry.store.repository('os').tags.get('v1');
    await makeImage(join(folder, 'next'), { tag: 'v2', layers: [[{ path: 'next', content: 'next' }]] });
    const words = ['copy', '--insecure-policy', PLAIN_DESTINATION, ...IMPATIENT, `oci:${folder}/next:v2`, `${name}:v1`];
    for (const [method, path, fault, status, code] of [
      ['POST', '/blobs/uploads/', { kind: 'status', status: 403, code: 'DENIED' }, 1, 'REGISTRY_DENIED'],
      ['POST', '/blobs/uploads/', { kind: 'status', status: 429 }, 4, 'REGISTRY_RATE_LIMITED'],
      [undefined, '/blobs/uploads/', { kind: 'reset-upload', after: 0, forget: true }, 4, 'HTTP_INTERRUPTED'],
      ['PUT', '/manifests/v1', { kind: 'status', status: 500 }, 4, 'REGISTRY_UNAVAILABLE'],
    ] as const) {
      registry.fault({ method, path }, fault);
      assert.deepEqual(await refusalOf(words), [status, code], `${method} ${path} ${fault.kind}`);
      registry.heal();
      assert.equal(registry.store.repository('os').tags.get('v1'), before);
    }
  });
});

describe('a storage host', () => {
  it('gets no credentials of the registry', async (t) => {
    const folder = scratch(t);
    const accounts = { joe: 'secret words' };
    const storage = await startFakeRegistry();
    t.after(() => storage.close());
    const registry = await startFakeRegistry({ auth: { kind: 'bearer', accounts, anonymous: [] } });
    t.after(() => registry.close());
    const image = await makeImage(join(folder, 'layout'), { tag: 'v1' });
    const [layer] = image.layers;
    assert.ok(layer);
    const [name, creds] = [`docker://${registry.host}/os:v1`, 'creds=joe:secret words'];
    await copied([`oci:${folder}/layout:v1`, `docker://${storage.host}/os:v1`, PLAIN_DESTINATION]);
    await copied([`oci:${folder}/layout:v1`, name, PLAIN_DESTINATION, `--dest-${creds}`]);
    const path = `/blobs/${layer.digest}`;
    registry.fault({ method: 'GET', path }, { kind: 'redirect', to: `${storage.url}/v2/os${path}` });
    const pulled = await copied([name, `oci:${folder}/target:v1`, PLAIN_SOURCE, `--src-${creds}`]);
    assert.equal(pulled, image.raw.digest);
    const [fetched] = storage.requestsFor(path, 'GET');
    assert.equal(fetched?.status, 200);
    assert.equal(fetched?.headers.authorization, undefined);
    assert.match(registry.requestsFor(path, 'GET')[0]?.headers.authorization ?? '', /^Bearer /);
  });
});

describe('images as the conformance tests of the specification have them', () => {
  const CONFIG = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');
  const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
  const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
  const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
  const describeBlob = (bytes: Uint8Array, mediaType: string, algorithm: 'sha256' | 'sha512' = 'sha256') => ({
    mediaType,
    digest: digestOf(bytes, algorithm),
    size: bytes.length,
  });
  const manifestOf = (fields: object): RawManifest =>
    rawManifest(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MANIFEST_TYPE,
          config: describeBlob(CONFIG, CONFIG_TYPE),
          layers: [],
          ...fields,
        }),
      ),
    );
  const described = ({ bytes, digest, mediaType }: RawManifest) => ({ mediaType, digest, size: bytes.length });
  const indexOf = (...members: readonly RawManifest[]): RawManifest =>
    rawManifest(
      Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: members.map(described) })),
    );
  const layer = Buffer.alloc(20_000, 'layer ');
  const empty = Buffer.alloc(0);
  const layerType = 'application/vnd.oci.image.layer.v1.tar';
  const missing = { mediaType: MANIFEST_TYPE, digest: digestOf(Buffer.from('nobody has it')), size: 13 };
  const plain = manifestOf({});
  const inner = indexOf(plain);

  const SETS: Readonly<
    Record<
      string,
      {
        readonly raw: RawManifest;
        readonly more?: readonly RawManifest[];
        readonly blobs?: readonly (readonly [Buffer, 'sha256' | 'sha512'])[];
      }
    >
  > = {
    'a layer by sha512': {
      raw: manifestOf({ layers: [describeBlob(layer, layerType, 'sha512')] }),
      blobs: [[layer, 'sha512']],
    },
    'an empty blob': { raw: manifestOf({ layers: [describeBlob(empty, layerType)] }), blobs: [[empty, 'sha256']] },
    'a subject that is not there': { raw: manifestOf({ subject: missing, artifactType: 'application/x-test' }) },
    'an index in an index': { raw: indexOf(inner, plain), more: [plain, inner] },
    'an index without members': { raw: indexOf() },
    'data in the descriptor': {
      raw: manifestOf({ config: { ...describeBlob(CONFIG, CONFIG_TYPE), data: CONFIG.toString('base64') } }),
    },
    'fields that nobody knows': { raw: manifestOf({ custom: { field: [1, 2, 'three'] }, annotations: { a: 'b' } }) },
    'a layer of another kind': {
      raw: manifestOf({ layers: [describeBlob(layer, 'text/x-anything')] }),
      blobs: [[layer, 'sha256']],
    },
  };

  for (const [what, { raw, more = [], blobs = [] }] of Object.entries(SETS)) {
    it(`${what}: from a layout into a registry, an archive, a directory and back, byte for byte`, async (t) => {
      const folder = scratch(t);
      const registry = await startFakeRegistry();
      t.after(() => registry.close());
      const layout = await createLayout(join(folder, 'layout'));
      for (const [bytes, algorithm] of [[CONFIG, 'sha256'] as const, ...blobs]) {
        const descriptor = describeBlob(bytes, layerType, algorithm);
        await layout.writeBlob(
          descriptor,
          async function* () {
            yield bytes;
          },
          new AbortController().signal,
        );
      }
      for (const each of [...more, raw]) layout.writeManifest(each);
      layout.setTag(described(raw), 'v1');
      layout.flush();
      layout.close();
      const name = `docker://${registry.host}/set:v1`;
      const places = [
        `oci:${folder}/layout:v1`,
        name,
        `oci-archive:${folder}/a.tar:v1`,
        `dir:${folder}/d`,
        `oci:${folder}/b:v1`,
      ];
      for (const [i, place] of places.slice(1).entries()) {
        const words = ['--all', places[i] ?? '', place, PLAIN_SOURCE, PLAIN_DESTINATION];
        assert.equal(await copied(words), raw.digest, place);
      }
      const [algorithm = '', hex = ''] = raw.digest.split(':');
      assert.deepEqual(readFileSync(join(folder, 'b', 'blobs', algorithm, hex)), Buffer.from(raw.bytes));
      for (const [bytes, kind] of blobs) {
        const [, found = ''] = digestOf(bytes, kind).split(':');
        assert.deepEqual(readFileSync(join(folder, 'b', 'blobs', kind, found)), bytes);
      }
    });
  }

  it('a foreign layer: stays where its addresses say', async (t) => {
    const folder = scratch(t);
    const registry = await startFakeRegistry();
    t.after(() => registry.close());
    const foreign = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
    const elsewhere = { ...describeBlob(layer, foreign), urls: [`${registry.url}/elsewhere`] };
    const raw = manifestOf({ layers: [elsewhere] });
    registry.store.addBlob('set', CONFIG);
    registry.store.addManifest('set', raw.bytes, raw.mediaType, 'v1');
    const target = join(folder, 'target');
    assert.equal(await copied([`docker://${registry.host}/set:v1`, `oci:${target}:v1`, PLAIN_SOURCE]), raw.digest);
    assert.equal(existsSync(join(target, 'blobs', ...digestOf(layer).split(':'))), false);
    assert.equal(registry.requestsFor('/elsewhere').length, 0);
    const pushed = await runCopy([`oci:${target}:v1`, `docker://${registry.host}/again:v1`, PLAIN_DESTINATION]);
    assert.equal(pushed.status, 0, pushed.stderr);
  });
});
