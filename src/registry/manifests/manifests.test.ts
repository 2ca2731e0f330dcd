import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpError } from '../../http/index.ts';
import { digestOf, MEDIA, OciError, rawManifest } from '../../oci/index.ts';
import { bench, never } from '../registry.fixture.ts';

const BYTES = Buffer.from('{ "schemaVersion": 2,\n "layers": [] }'); // spaces that must survive
const RAW = rawManifest(BYTES, MEDIA.ociManifest);
const OTHER = Buffer.from('{"schemaVersion":2,"layers":[],"annotations":{}}');

describe('a manifest that is none', () => {
  it('is refused with the name of the host that sent it', async (t) => {
    const { server, repository } = await bench(t);
    const isNamed = (code: string) => (error: unknown) =>
      error instanceof OciError && error.code === code && error.message.startsWith(`${server.host}: manifest v1 of `);
    server.store.addManifest('team/app', '<html>', 'text/html', 'v1');
    await assert.rejects(repository.getManifest('v1', never), isNamed('MANIFEST_MALFORMED'));
    server.fault({ path: '/manifests/' }, { kind: 'replace', body: '{}' });
    await assert.rejects(repository.getManifest('v1', never), isNamed('INVALID_DIGEST'));
  });
});

describe('a manifest', () => {
  it('comes in the bytes it was pushed in, by tag and by digest', async (t) => {
    const { server, repository } = await bench(t);
    await repository.putManifest(RAW, 'v1', never);
    for (const reference of ['v1', RAW.digest]) {
      const found = await repository.getManifest(reference, never);
      assert.deepEqual([found.digest, found.mediaType], [RAW.digest, MEDIA.ociManifest]);
      assert.deepEqual(Buffer.from(found.bytes), BYTES);
    }
    const { accept = '' } = server.requestsFor('/manifests/v1', 'GET')[0]?.headers ?? {};
    for (const type of [MEDIA.ociManifest, MEDIA.ociIndex, MEDIA.dockerManifest, MEDIA.dockerList]) {
      assert.ok(accept.includes(type), accept);
    }
  });

  it('is known by its head alone, or not there', async (t) => {
    const { server, repository } = await bench(t);
    await repository.putManifest(RAW, 'v1', never);
    const head = { digest: RAW.digest, mediaType: MEDIA.ociManifest, size: BYTES.length };
    assert.deepEqual(await repository.headManifest('v1', never), head);
    assert.equal(server.requestsFor('/manifests/', 'GET').length, 0);
    assert.equal(await repository.headManifest('v2', never), undefined);
  });

  it('is fetched for its head where there is no HEAD, or one that tells nothing', async (t) => {
    for (const server of [{ head: false }, {}]) {
      const b = await bench(t, { server });
      await b.repository.putManifest(RAW, 'v1', never);
      b.server.fault(
        { method: 'HEAD', path: '/' },
        { kind: 'headers', headers: { 'docker-content-digest': undefined } },
      );
      assert.equal((await b.repository.headManifest('v1', never))?.digest, RAW.digest);
      if (server.head === false) assert.equal(await b.repository.headManifest('v2', never), undefined);
    }
  });

  it('with other bytes than its digest is refused, asked for by digest or by tag', async (t) => {
    const { server, repository } = await bench(t);
    await repository.putManifest(RAW, 'v1', never);
    server.fault({ method: 'GET', path: '/manifests/' }, { kind: 'replace', body: OTHER });
    await assert.rejects(repository.getManifest(RAW.digest, never), { code: 'INVALID_DIGEST' });
    await assert.rejects(repository.getManifest('v1', never), { code: 'INVALID_DIGEST' });
  });

  it('that is cut off is refused', async (t) => {
    const { server, repository } = await bench(t);
    await repository.putManifest(RAW, 'v1', never);
    server.fault({ method: 'GET', path: '/manifests/' }, { kind: 'replace', body: BYTES.subarray(0, 20) });
    await assert.rejects(repository.getManifest('v1', never), { code: 'INVALID_DIGEST' });
  });

  it('without end, or larger than any, is refused', async (t) => {
    const { server, repository } = await bench(t);
    await repository.putManifest(RAW, 'v1', never);
    server.fault({ method: 'GET', path: '/manifests/' }, { kind: 'endless' });
    await assert.rejects(repository.getManifest('v1', never), { code: 'TOO_LARGE' });
  });

  it('can be asked for by its sha512', async (t) => {
    const { repository } = await bench(t);
    const digest = digestOf(BYTES, 'sha512');
    await repository.putManifest({ ...RAW, digest }, digest, never);
    const found = await repository.getManifest(digest, never);
    assert.equal(found.digest, digest);
    await assert.rejects(repository.putManifest(RAW, digestOf(OTHER), never), { code: 'INVALID_DIGEST' });
  });

  it('is deleted, and a registry that does not delete says so', async (t) => {
    const { repository } = await bench(t);
    await repository.putManifest(RAW, 'v1', never);
    await repository.deleteManifest(RAW.digest, never);
    await assert.rejects(repository.getManifest('v1', never), { code: 'REGISTRY_NOT_FOUND' });
    const keeping = await bench(t, { server: { delete: false } });
    await keeping.repository.putManifest(RAW, 'v1', never);
    await assert.rejects(keeping.repository.deleteManifest(RAW.digest, never), { code: 'REGISTRY_ERROR', status: 405 });
    await assert.rejects(keeping.repository.deleteBlob(RAW.digest, never), { code: 'REGISTRY_NOT_FOUND' });
  });

  it("that names missing blobs is refused in the registry's words", async (t) => {
    const { server, repository } = await bench(t);
    const layer = { mediaType: MEDIA.ociLayer, digest: digestOf(OTHER), size: 3 };
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config: layer, layers: [layer] }));
    await assert.rejects(repository.putManifest(rawManifest(bytes, MEDIA.ociManifest), 'v1', never), {
      code: 'REGISTRY_ERROR',
      message: `${server.host}: push of manifest v1 of team/app: MANIFEST_BLOB_UNKNOWN: blob unknown to registry (status 400)`,
    });
  });
});

describe('a registry', () => {
  it('that limits its users is waited for, and named when it goes on', async (t) => {
    const { server, repository } = await bench(t);
    await repository.putManifest(RAW, 'v1', never);
    const headers = { 'retry-after': '0' };
    const fault = {
      kind: 'status',
      status: 429,
      code: 'TOOMANYREQUESTS',
      message: 'pull rate limit reached',
      headers,
    } as const;
    server.fault({ method: 'GET', path: '/', times: 2 }, fault);
    await repository.getManifest('v1', never);
    server.fault({ method: 'GET', path: '/' }, fault);
    await assert.rejects(repository.getManifest('v1', never), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'REGISTRY_RATE_LIMITED');
      assert.match(String((error.cause as Error).message), /pull rate limit reached/);
      return true;
    });
  });

  it('that is down is reported as that, after some tries', async (t) => {
    const { server, repository } = await bench(t);
    server.fault({ path: '/' }, { kind: 'status', status: 502 });
    await assert.rejects(repository.getManifest('v1', never), { code: 'REGISTRY_UNAVAILABLE', status: 502 });
    assert.equal(server.requests.length, 3);
  });

  it('can say something to its users, which is shown once', async (t) => {
    const { server, repository, notes } = await bench(t);
    await repository.putManifest(RAW, 'v1', never);
    const headers = { warning: '299 - "this registry \\"closes\\" soon\u001b[2J"' };
    server.fault(
      { method: 'GET', path: '/' },
      { kind: 'headers', headers: { warning: headers.warning.replace('\u001b', '') } },
    );
    await repository.getManifest('v1', never);
    await repository.getManifest('v1', never);
    assert.deepEqual(notes, [`${server.host} says: this registry "closes" soon[2J`]);
  });

  it('is asked in clear when it is insecure and speaks no TLS', async (t) => {
    const { server, repository } = await bench(t, { client: { scheme: 'https', alternates: ['http'] } });
    server.store.addManifest('team/app', BYTES, MEDIA.ociManifest, 'v1');
    assert.equal((await repository.getManifest('v1', never)).digest, RAW.digest);
    await repository.getManifest('v1', never);
    assert.equal(server.requestsFor(/^\/v2\/$/).length, 1);
    const secure = await bench(t, { client: { scheme: 'https', alternates: ['http'], insecure: false } });
    await assert.rejects(secure.repository.getManifest('v1', never), (error: HttpError) => {
      assert.deepEqual([error.code, error.cause], ['HTTP_TLS', undefined]);
      assert.match(`${error.hint}`, /--tls-verify=false/);
      return error.message.startsWith(`${secure.server.host}: manifest v1 of team/app: `);
    });
    assert.equal(secure.server.requests.length, 0);
  });

  it('is not asked for names and references that no registry has', async (t) => {
    const { server, registry, repository } = await bench(t);
    for (const name of ['', 'A', 'a//b', '../a', 'a/', 'a?b', 'a'.repeat(300), 'a\n']) {
      assert.throws(() => registry.repository(name), { code: 'REGISTRY_NAME' }, name);
    }
    for (const reference of ['', '.', '../x', 'a/b', 'a?b', 'sha256:xy', 'x'.repeat(129)]) {
      await assert.rejects(async () => repository.getManifest(reference, never), { code: 'REGISTRY_NAME' }, reference);
    }
    assert.equal(server.requests.length, 0);
  });
});
