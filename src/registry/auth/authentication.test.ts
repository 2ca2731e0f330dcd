import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { startFakeRegistry } from '../../../test/support/fake-registry.ts';
import { startHostileServer } from '../../../test/support/hostile-server.ts';
import { digestOf, type RawManifest, rawManifest } from '../../oci/index.ts';
import { bench, descriptorOf, drained, never, noise, sourceOf } from '../registry.fixture.ts';

const ACCOUNTS = { joe: 'se:cret é' };
const JOE = { kind: 'basic', username: 'joe', password: 'se:cret é' } as const;
const bearer = { kind: 'bearer', accounts: ACCOUNTS } as const;
const BLOB = noise(300_000);
const MANIFEST = '{"schemaVersion":2,"layers":[]}';
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

const raw = (): RawManifest => rawManifest(Buffer.from(MANIFEST), MANIFEST_TYPE);

describe('basic authentication', () => {
  it('sends name and password once the registry has asked for them', async (t) => {
    const { server, repository } = await bench(t, {
      server: { auth: { kind: 'basic', accounts: ACCOUNTS } },
      client: { credentials: JOE },
    });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    assert.equal((await repository.getManifest('v1', never)).digest, digestOf(Buffer.from(MANIFEST)));
    assert.deepEqual(
      server.requests.map(({ url, status }) => `${url} ${status}`),
      ['/v2/ 401', '/v2/team/app/manifests/v1 200'],
    );
  });

  it("that is wrong ends after one try, with the registry's words and where the credentials came from", async (t) => {
    const { server, repository } = await bench(t, {
      server: { auth: { kind: 'basic', accounts: ACCOUNTS } },
      client: { credentials: { ...JOE, password: 'x' }, credentialsHint: 'looked at /etc/auth.json' },
    });
    await assert.rejects(repository.getManifest('v1', never), (error: Error & Record<string, unknown>) => {
      assert.deepEqual([error['code'], error['hint']], ['REGISTRY_DENIED', 'looked at /etc/auth.json']);
      for (const part of [server.host, 'manifest v1 of team/app', 'UNAUTHORIZED', '401']) {
        assert.ok(error.message.includes(part), `${error.message}: ${part}`);
      }
      return true;
    });
    assert.equal(server.requestsFor('/manifests/').length, 1);
  });

  it('is not sent in clear to a registry that nobody has declared insecure', async (t) => {
    const { server, repository } = await bench(t, {
      server: { auth: { kind: 'basic', accounts: ACCOUNTS } },
      client: { credentials: JOE, insecure: false },
    });
    await assert.rejects(repository.getManifest('v1', never), { code: 'REGISTRY_REALM' });
    assert.ok(server.requests.every(({ headers }) => headers.authorization === undefined));
  });
});

describe('bearer authentication', () => {
  it('gets an anonymous token when the registry asks, and uses it for all that it covers', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer } });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    const digest = server.store.addBlob('team/app', BLOB);
    await repository.getManifest('v1', never);
    await repository.getManifest('v1', never);
    assert.deepEqual(await drained(repository.readBlob({ ...descriptorOf(BLOB) }, 0, never)), BLOB);
    assert.equal(digest, descriptorOf(BLOB).digest);
    assert.deepEqual(
      server.requestsFor('/token').map(({ url }) => url),
      ['/token?service=fake.test&scope=repository%3Ateam%2Fapp%3Apull'],
    );
    assert.equal(server.requestsFor('/manifests/').length, 3);
  });

  it('takes one token for many that ask at the same time, and one for pushing serves for pulling', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer }, client: { credentials: JOE } });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    await Promise.all(Array.from({ length: 5 }, () => repository.getManifest('v1', never)));
    assert.equal(server.requestsFor('/token').length, 1);
    await repository.putBlob(descriptorOf(BLOB), sourceOf(BLOB).source, never);
    await repository.putManifest(raw(), 'v2', never).catch(() => undefined);
    await drained(repository.readBlob(descriptorOf(BLOB), 0, never));
    assert.deepEqual(
      server.requestsFor('/token').map(({ url }) => new URL(url, 'http://x').searchParams.getAll('scope')),
      [['repository:team/app:pull'], ['repository:team/app:pull,push']],
    );
    assert.ok(server.requestsFor('/token').every(({ url }) => url.includes('account=joe&')));
  });

  it('asks for both repositories when a blob is mounted', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer }, client: { credentials: JOE } });
    const digest = server.store.addBlob('other', BLOB);
    assert.equal(await repository.mountBlob(digest as `sha256:${string}`, 'other', never), true);
    assert.deepEqual(
      server.requestsFor('/token').map(({ url }) => new URL(url, 'http://x').searchParams.getAll('scope')),
      [['repository:other:pull', 'repository:team/app:pull,push']],
    );
  });

  it('renews a token that is not taken any more once', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer } });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    await repository.getManifest('v1', never);
    server.expireTokens();
    await repository.getManifest('v1', never);
    assert.equal(server.requestsFor('/token').length, 2);
  });

  it('renews before a token ends by itself', async (t) => {
    let now = 1e12;
    const { server, repository } = await bench(t, {
      server: { auth: { ...bearer, expiresIn: 100 } },
      client: { now: () => now },
    });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    await repository.getManifest('v1', never);
    now += 80_000;
    await repository.getManifest('v1', never);
    assert.equal(server.requestsFor('/token').length, 1);
    now += 15_000;
    await repository.getManifest('v1', never);
    assert.deepEqual([server.requestsFor('/token').length, server.requestsFor('/manifests/').length], [2, 4]);
  });

  it('goes on with a blob whose token ended in the middle, with every byte sent once', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer } });
    server.store.addBlob('team/app', BLOB);
    server.fault({ path: '/blobs/', method: 'GET', times: 1, skip: 1 }, { kind: 'reset', after: 100_000 });
    const chunks: Buffer[] = [];
    for await (const chunk of repository.readBlob(descriptorOf(BLOB), 0, never)) {
      if (chunks.length === 0) server.expireTokens();
      chunks.push(Buffer.from(chunk));
    }
    assert.deepEqual(Buffer.concat(chunks), BLOB);
    assert.ok(server.bytesSent('/blobs/') < BLOB.length + 2000, `${server.bytesSent('/blobs/')}`);
  });

  it('stops when a new token is not enough, and says so', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer } });
    const { source, asked } = sourceOf(BLOB);
    await assert.rejects(repository.putBlob(descriptorOf(BLOB), source, never), {
      code: 'REGISTRY_DENIED',
      status: 401,
    });
    assert.ok(server.requests.length <= 8, `${server.requests.length} requests`);
    assert.deepEqual(asked, []);
  });

  it('names the token server when that refuses', async (t) => {
    const { server, repository } = await bench(t, {
      server: { auth: bearer },
      client: { credentials: { ...JOE, password: 'x' }, credentialsHint: 'looked at nothing' },
    });
    await assert.rejects(repository.getManifest('v1', never), {
      code: 'REGISTRY_DENIED',
      message: `${server.host}: token from ${server.host}: UNAUTHORIZED: wrong name or password (status 401)`,
      hint: 'looked at nothing',
    });
  });

  it('exchanges an identity token by POST, without it in any address', async (t) => {
    const { server, repository } = await bench(t, {
      server: { auth: { ...bearer, identityToken: 'very secret' } },
      client: { credentials: { kind: 'identity-token', token: 'very secret' } },
    });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    await repository.getManifest('v1', never);
    const [asked, ...more] = server.requestsFor('/token');
    assert.deepEqual([asked?.method, asked?.url, more.length], ['POST', '/token', 0]);
    assert.ok(server.requests.every(({ url }) => !url.includes('secret')));
  });

  it('does not follow a redirect with an identity token in its hands', async (t) => {
    const other = await startHostileServer();
    t.after(() => other.close());
    const { server, repository } = await bench(t, {
      server: { auth: { ...bearer, identityToken: 's' } },
      client: { credentials: { kind: 'identity-token', token: 's' } },
    });
    server.fault({ path: '/token' }, { kind: 'status', status: 307, headers: { location: `${other.url}/token` } });
    await assert.rejects(repository.getManifest('v1', never), { code: 'REGISTRY_ERROR', status: 307 });
    assert.equal(other.requests.length, 0);
  });

  it('falls back to POST where the token server knows no GET', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer }, client: { credentials: JOE } });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    server.fault({ path: '/token', method: 'GET' }, { kind: 'status', status: 405 });
    await repository.getManifest('v1', never);
    assert.deepEqual(
      server.requestsFor('/token').map(({ method }) => method),
      ['GET', 'POST'],
    );
  });

  it('sends a ready token as it is, and asks nobody for another', async (t) => {
    const { server, repository } = await bench(t, {
      server: { auth: bearer },
      client: { credentials: { kind: 'bearer', token: 'abc' } },
    });
    await assert.rejects(repository.getManifest('v1', never), { code: 'REGISTRY_DENIED' });
    assert.deepEqual(
      server.requests.map(({ url, headers }) => [url, headers.authorization]),
      [['/v2/team/app/manifests/v1', 'Bearer abc']],
    );
  });

  for (const [what, realm, code] of [
    ['in clear', undefined, 'REGISTRY_REALM'],
    ['with credentials of its own', 'https://a:b@127.0.0.1/token', 'REGISTRY_PROTOCOL'],
    ['that is a file', 'file:///etc/passwd', 'REGISTRY_PROTOCOL'],
    ['that is no address', 'token', 'REGISTRY_PROTOCOL'],
  ] as const) {
    it(`refuses a realm ${what}, with and without credentials`, async (t) => {
      for (const credentials of [JOE, undefined]) {
        const auth = realm === undefined ? bearer : { ...bearer, realm };
        const { server, repository } = await bench(t, { server: { auth }, client: { credentials, insecure: false } });
        await assert.rejects(repository.getManifest('v1', never), { code });
        assert.equal(server.requestsFor('/token').length, 0);
      }
    });
  }

  for (const [what, answer] of [
    ['no JSON', '<html>'],
    ['no token', '{"expires_in":3}'],
    ['a token that breaks the header', JSON.stringify({ token: 'a\r\nx: y' })],
    ['a token too long for any header', JSON.stringify({ token: 'x'.repeat(70_000) })],
  ] as const) {
    it(`refuses an answer of the token server with ${what}`, async (t) => {
      const { server, repository } = await bench(t, { server: { auth: bearer } });
      server.fault({ path: '/token' }, { kind: 'status', status: 200, body: answer });
      await assert.rejects(repository.getManifest('v1', never), { code: 'REGISTRY_PROTOCOL' });
    });
  }

  it('repeats a token server that is down, and reports it', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer } });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    server.fault({ path: '/token', times: 1 }, { kind: 'status', status: 503 });
    await repository.getManifest('v1', never);
    const down = await bench(t, { server: { auth: bearer } });
    down.server.fault({ path: '/token' }, { kind: 'status', status: 503 });
    await assert.rejects(down.repository.getManifest('v1', never), { code: 'REGISTRY_UNAVAILABLE' });
  });

  it('prefers a token when the registry takes both, in headers of their own', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer }, client: { credentials: JOE } });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    const handle = (_: IncomingMessage, response: ServerResponse): void => {
      const challenges = ['Basic realm="x"', `Bearer realm="${server.url}/token",service="fake.test"`];
      response.writeHead(401, { 'www-authenticate': challenges }).end();
    };
    server.fault({ path: /^\/v2\/$/ }, { kind: 'custom', handle });
    await repository.getManifest('v1', never);
    assert.equal(server.requestsFor('/token').length, 1);
  });

  it('goes to no token server that a storage host names', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer }, client: { credentials: JOE } });
    const storage = await startFakeRegistry();
    t.after(() => storage.close());
    const challenge = { 'www-authenticate': `Bearer realm="${storage.url}/token",service="x"` };
    storage.fault({ path: '/manifests/' }, { kind: 'status', status: 401, headers: challenge });
    const to = `${storage.url}/v2/team/app/manifests/v1`;
    server.fault({ path: '/manifests/v1' }, { kind: 'redirect', to });
    await assert.rejects(repository.getManifest('v1', never), { code: 'REGISTRY_DENIED' });
    assert.equal(storage.requestsFor('/manifests/').length, 1);
    assert.deepEqual(storage.requestsFor('/token'), []);
    assert.equal(storage.requests[0]?.headers.authorization, undefined);
  });

  it('one who gives up does not take the token from the others', async (t) => {
    const { server, repository } = await bench(t, { server: { auth: bearer } });
    server.store.addManifest('team/app', MANIFEST, MANIFEST_TYPE, 'v1');
    await assert.rejects(repository.getManifest('none', never), { code: 'REGISTRY_NOT_FOUND' });
    server.expireTokens();
    server.fault({ path: '/token', times: 1 }, { kind: 'stall' });
    const impatient = new AbortController();
    const [first, second] = [repository.getManifest('v1', impatient.signal), repository.getManifest('v1', never)];
    setTimeout(() => impatient.abort(new Error('enough')), 50);
    await assert.rejects(first, { message: 'enough' });
    assert.equal((await second).mediaType, MANIFEST_TYPE);
  });
});
