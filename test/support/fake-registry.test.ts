import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type FakeRegistryOptions, type Fault, startFakeRegistry } from './fake-registry.ts';
import { needs } from './needs.ts';
import { run } from './program.ts';
import { scratch } from './scratch.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const sha256 = (bytes: Uint8Array | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function started(t: TestContext, options: FakeRegistryOptions = {}) {
  const registry = await startFakeRegistry(options);
  t.after(() => registry.close());
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${registry.url}${path}`, { redirect: 'manual', ...init });
  return { registry, ask };
}

/** A layer of random bytes and an image of it, as skopeo's `dir:`. */
function image(dir: string, size: number): { readonly manifest: string; readonly layer: string } {
  mkdirSync(dir);
  const put = (bytes: Buffer): { digest: string; size: number } => {
    writeFileSync(join(dir, sha256(bytes).slice(7)), bytes);
    return { digest: sha256(bytes), size: bytes.length };
  };
  const layer = put(randomBytes(size));
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  const config = put(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs })));
  const type = 'application/vnd.oci.image';
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: `${type}.config.v1+json`, ...config },
    layers: [{ mediaType: `${type}.layer.v1.tar`, ...layer }],
  });
  writeFileSync(join(dir, 'version'), 'Directory Transport Version: 1.1\n');
  writeFileSync(join(dir, 'manifest.json'), manifest);
  return { manifest, layer: layer.digest };
}

describe('the registry in the process', () => {
  for (const auth of [
    undefined,
    { kind: 'basic', accounts: { joe: 'secret' } },
    { kind: 'bearer', accounts: { joe: 'secret' } },
  ] as const) {
    it(`takes and gives images of skopeo, with ${auth?.kind ?? 'no'} authentication`, {
      skip: needs('skopeo'),
    }, async (t) => {
      const { registry } = await started(t, { auth });
      const dir = scratch(t);
      const { manifest, layer } = image(join(dir, 'in'), 100_000);
      const creds = (side: string) => (auth === undefined ? [] : [`--${side}-creds=joe:secret`]);
      const copy = (...words: string[]) => run('skopeo', ['--insecure-policy', 'copy', '--preserve-digests', ...words]);
      const name = `docker://${registry.host}/team/app:1`;
      const pushed = await copy('--dest-tls-verify=false', ...creds('dest'), `dir:${dir}/in`, name);
      assert.equal(pushed.status, 0, pushed.stderr);
      const pulled = await copy('--src-tls-verify=false', ...creds('src'), name, `dir:${dir}/out`);
      assert.equal(pulled.status, 0, pulled.stderr);
      assert.equal(readFileSync(join(dir, 'out', 'manifest.json'), 'utf8'), manifest);
      assert.equal(registry.bytesSent(`/blobs/${layer}`), 100_000);
      assert.ok(registry.bytesReceived('/blobs/uploads/') >= 100_000);
      const stranger = await copy('--dest-tls-verify=false', '--dest-no-creds', `dir:${dir}/in`, name);
      assert.equal(stranger.status === 0, auth === undefined);
    });
  }

  it('serves ranges, pages of tags and referrers', async (t) => {
    const { registry, ask } = await started(t, { pageSize: 2 });
    const blob = registry.store.addBlob('a', 'twelve bytes');
    const range = await ask(`/v2/a/blobs/${blob}`, { headers: { range: 'bytes=7-' } });
    assert.deepEqual([range.status, await range.text()], [206, 'bytes']);
    assert.equal((await ask(`/v2/a/blobs/${blob}`, { headers: { range: 'bytes=12-' } })).status, 416);
    const subject = registry.store.addManifest('a', '{}', MANIFEST, 'x');
    for (const tag of ['y', 'z']) registry.store.repository('a').tags.set(tag, subject);
    const page = await ask('/v2/a/tags/list?n=1000');
    assert.deepEqual(await page.json(), { name: 'a', tags: ['x', 'y'] });
    assert.equal(page.headers.get('link'), '</v2/a/tags/list?n=2&last=y>; rel="next"');
    const referring = JSON.stringify({ artifactType: 'a/b', subject: { digest: subject } });
    const put = await ask('/v2/a/manifests/s', {
      method: 'PUT',
      body: referring,
      headers: { 'content-type': MANIFEST },
    });
    assert.equal(put.headers.get('oci-subject'), subject);
    const answer = await ask(`/v2/a/referrers/${subject}?artifactType=a/b`);
    const found = (await answer.json()) as { mediaType: string; manifests: unknown };
    assert.equal(found.mediaType, INDEX);
    assert.deepEqual(found.manifests, [
      { mediaType: MANIFEST, digest: sha256(referring), size: referring.length, artifactType: 'a/b' },
    ]);
  });

  it('mounts, deletes, and refuses what it was told not to do', async (t) => {
    const { registry, ask } = await started(t);
    const blob = registry.store.addBlob('a', 'content');
    assert.equal((await ask(`/v2/b/blobs/uploads/?mount=${blob}&from=a`, { method: 'POST' })).status, 201);
    assert.equal((await ask(`/v2/b/blobs/${blob}`, { method: 'DELETE' })).status, 202);
    assert.equal((await ask(`/v2/b/blobs/${blob}`)).status, 404);
    const plain = await started(t, { referrers: false, head: false, mount: false, chunked: false, delete: false });
    plain.registry.store.addBlob('a', 'content');
    assert.equal((await plain.ask(`/v2/b/blobs/uploads/?mount=${blob}&from=a`, { method: 'POST' })).status, 202);
    assert.equal((await plain.ask(`/v2/a/blobs/${blob}`, { method: 'HEAD' })).status, 405);
    assert.equal((await plain.ask(`/v2/a/blobs/${blob}`, { method: 'DELETE' })).status, 405);
    assert.equal((await plain.ask(`/v2/a/referrers/${blob}`)).status, 404);
  });

  it('keeps what arrived of an upload that is cut off, and tells its end', async (t) => {
    const { registry, ask } = await started(t);
    const start = await ask('/v2/a/blobs/uploads/', { method: 'POST' });
    const location = start.headers.get('location') ?? '';
    assert.equal(start.headers.get('range'), '0-0');
    registry.fault({ method: 'PATCH', path: '/uploads/', times: 1 }, { kind: 'reset-upload', after: 60_000 });
    const body = randomBytes(200_000);
    await assert.rejects(ask(location, { method: 'PATCH', body }));
    const status = await ask(location);
    assert.deepEqual([status.status, status.headers.get('range')], [204, '0-59999']);
    const wrong = await ask(location, { method: 'PATCH', body, headers: { 'content-range': '0-199999' } });
    assert.equal(wrong.status, 416);
    const rest = { body: body.subarray(60_000), headers: { 'content-range': '60000-199999' } };
    assert.equal((await ask(location, { method: 'PATCH', ...rest })).status, 202);
    assert.equal((await ask(`${location}&digest=${sha256('x')}`, { method: 'PUT' })).status, 400);
  });

  it('goes wrong as often as it is told to, and counts what it sent', async (t) => {
    const { registry, ask } = await started(t);
    const bytes = randomBytes(100_000);
    const path = `/v2/a/blobs/${registry.store.addBlob('a', bytes)}`;
    const busy = { kind: 'status', status: 429, code: 'TOOMANYREQUESTS', headers: { 'retry-after': '1' } } as const;
    registry.fault({ path: '/blobs/', times: 1 }, busy);
    registry.fault({ path: '/blobs/', times: 1 }, { kind: 'reset', after: 10_000 });
    registry.fault({ path: '/blobs/', times: 1 }, { kind: 'truncate', after: 20_000 });
    registry.fault({ path: '/blobs/', times: 1 }, { kind: 'redirect', to: 'http://storage.test/x' });
    registry.fault({ path: '/blobs/', times: 1 }, { kind: 'ignore-range' });
    const refused = await ask(path);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '1']);
    assert.deepEqual(await refused.json(), { errors: [{ code: 'TOOMANYREQUESTS', message: '' }] });
    for (let cut = 0; cut < 2; cut++) await assert.rejects(ask(path).then((answer) => answer.arrayBuffer()));
    assert.equal((await ask(path)).headers.get('location'), 'http://storage.test/x');
    assert.equal((await ask(path, { headers: { range: 'bytes=5-' } })).status, 200);
    assert.deepEqual(Buffer.from(await (await ask(path)).arrayBuffer()), bytes);
    const [first, ...others] = registry.requestsFor(path).map((one) => one.bytesSent);
    assert.deepEqual(others, [10_000, 20_000, 0, 100_000, 100_000]);
    assert.ok(first !== undefined && first < 100);
  });

  it('stalls, drips, lies about its content, and loses answers to what it has done', async (t) => {
    const { registry, ask } = await started(t);
    const blob = registry.store.addBlob('a', 'twelve bytes');
    const path = `/v2/a/blobs/${blob}`;
    const faulty = async (fault: Fault, init?: RequestInit) => {
      registry.heal();
      registry.fault({ path: '/v2/' }, fault);
      return ask(path, init);
    };
    assert.equal(await (await faulty({ kind: 'replace', body: 'others' })).text(), 'others');
    const wrong = { 'docker-content-digest': 'sha256:00', etag: undefined };
    const { headers } = await faulty({ kind: 'headers', headers: wrong });
    assert.deepEqual([headers.get('docker-content-digest'), headers.get('etag')], ['sha256:00', null]);
    assert.equal(await (await faulty({ kind: 'drip', bytes: 5, everyMs: 20 })).text(), 'twelve bytes');
    for (const fault of [{ kind: 'stall' }, { kind: 'stall', after: 3 }, { kind: 'endless' }] as const) {
      const taken = faulty(fault, { signal: AbortSignal.timeout(150) }).then((answer) => answer.arrayBuffer());
      await assert.rejects(taken, { name: 'TimeoutError' });
    }
    assert.ok((registry.requests.at(-1)?.bytesSent ?? 0) > 100_000);
    registry.heal();
    registry.fault({ method: 'POST', path: '/uploads/' }, { kind: 'lose-answer' });
    registry.fault({ method: 'POST', path: '/uploads/' }, { kind: 'status', status: 500 });
    const upload = (body: string) => ask(`/v2/a/blobs/uploads/?digest=${sha256(body)}`, { method: 'POST', body });
    await assert.rejects(upload('arrived'));
    assert.equal((await ask(`/v2/a/blobs/${sha256('arrived')}`)).status, 200);
    registry.heal();
    registry.fault({ method: 'POST', path: '/uploads/', skip: 1 }, { kind: 'status', status: 500 });
    assert.equal((await upload('first')).status, 201);
    assert.equal((await upload('second')).status, 500);
    assert.equal((await ask(`/v2/a/blobs/${sha256('second')}`)).status, 404);
    assert.equal(registry.bytesReceived(sha256('second')), 6);
  });

  it('gives tokens for a scope, which it can let expire', async (t) => {
    const { registry, ask } = await started(t, { auth: { kind: 'bearer', accounts: {}, identityToken: 'long-lived' } });
    const blob = registry.store.addBlob('a', 'content');
    const denied = await ask(`/v2/a/blobs/${blob}`);
    const challenge = `Bearer realm="${registry.url}/token",service="fake.test",scope="repository:a:pull"`;
    assert.equal(denied.headers.get('www-authenticate'), challenge);
    const answer = await ask('/token?service=fake.test&scope=repository:a:pull,push');
    const { token } = (await answer.json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await ask(`/v2/a/blobs/${blob}`, { headers })).status, 200);
    assert.equal((await ask('/v2/a/blobs/uploads/', { headers, method: 'POST' })).status, 401);
    registry.expireTokens();
    assert.equal((await ask(`/v2/a/blobs/${blob}`, { headers })).status, 401);
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: 'long-lived',
      scope: 'repository:a:push',
    });
    assert.equal((await ask('/token', { method: 'POST', body })).status, 200);
    body.set('refresh_token', 'guessed');
    assert.equal((await ask('/token', { method: 'POST', body })).status, 401);
  });
});
