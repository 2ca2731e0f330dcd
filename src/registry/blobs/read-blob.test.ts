import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startHostileServer } from '../../../test/support/hostile-server.ts';
import { bench, descriptorOf, drained, never, noise } from '../registry.fixture.ts';

const BLOB = noise(400_000);
const DESCRIPTOR = descriptorOf(BLOB);

describe('reading a blob', () => {
  it('gives its bytes, from the first or a later one on', async (t) => {
    const { server, repository } = await bench(t);
    server.store.addBlob('team/app', BLOB);
    assert.deepEqual(await drained(repository.readBlob(DESCRIPTOR, 0, never)), BLOB);
    const before = server.bytesSent('/blobs/');
    assert.deepEqual(await drained(repository.readBlob(DESCRIPTOR, 250_000, never)), BLOB.subarray(250_000));
    assert.equal(server.bytesSent('/blobs/') - before, 150_000);
    assert.deepEqual(await drained(repository.readBlob(DESCRIPTOR, 400_000, never)), Buffer.alloc(0));
  });

  for (const [what, fault] of [
    ['a reset', { kind: 'reset', after: 150_000 }],
    ['an early end', { kind: 'truncate', after: 150_000 }],
    ['a stall', { kind: 'stall', after: 150_000 }],
    ['a status 503', { kind: 'status', status: 503 }],
    ['a status 429', { kind: 'status', status: 429, headers: { 'retry-after': '0' } }],
  ] as const) {
    it(`goes on after ${what} without asking for a byte twice`, async (t) => {
      const { server, repository } = await bench(t);
      server.store.addBlob('team/app', BLOB);
      server.fault({ path: '/blobs/', times: 1 }, fault);
      assert.deepEqual(await drained(repository.readBlob(DESCRIPTOR, 0, never)), BLOB);
      const sent = server.requestsFor('/blobs/').filter(({ status }) => status < 400);
      const total = sent.reduce((sum, { bytesSent }) => sum + bytesSent, 0);
      const lost = fault.kind === 'reset' ? 150_000 : 0; // what was on its way when the connection was cut
      assert.ok(total >= BLOB.length && total < BLOB.length + Math.max(lost, 1), `${total}`);
    });
  }

  it('needs no validator to go on: the address has the digest in it', async (t) => {
    const { server, repository } = await bench(t);
    server.store.addBlob('team/app', BLOB);
    const handle = (_: unknown, response: import('node:http').ServerResponse): void => {
      response
        .writeHead(200, { 'content-length': BLOB.length })
        .write(BLOB.subarray(0, 150_000), () => response.socket?.end());
    };
    server.fault({ path: '/blobs/', times: 1 }, { kind: 'custom', handle });
    assert.deepEqual(await drained(repository.readBlob(DESCRIPTOR, 0, never)), BLOB);
    assert.equal(server.bytesSent('/blobs/'), 250_000);
    assert.equal(server.requestsFor('/blobs/')[1]?.headers['if-range'], undefined);
  });

  it('skips what it has when the server sends everything again', async (t) => {
    const { server, repository } = await bench(t);
    server.store.addBlob('team/app', BLOB);
    server.fault({ path: '/blobs/', times: 1 }, { kind: 'reset', after: 150_000 });
    server.fault({ path: '/blobs/' }, { kind: 'ignore-range' });
    assert.deepEqual(await drained(repository.readBlob(DESCRIPTOR, 0, never)), BLOB);
    assert.deepEqual(await drained(repository.readBlob(DESCRIPTOR, 399_999, never)), BLOB.subarray(399_999));
  });

  it("hands nothing of a redirect's target the credentials", async (t) => {
    const storage = await startHostileServer({ files: new Map([['/blob', BLOB]]) });
    t.after(() => storage.close());
    const { server, repository } = await bench(t, {
      server: { auth: { kind: 'bearer', accounts: {} } },
    });
    server.store.addBlob('team/app', BLOB);
    server.fault({ path: '/blobs/', method: 'GET', skip: 1 }, { kind: 'redirect', to: `${storage.url}/blob?X=y` });
    storage.route('/blob', [{ kind: 'reset', after: 100_000 }, { kind: 'serve' }]);
    assert.deepEqual(await drained(repository.readBlob(DESCRIPTOR, 0, never)), BLOB);
    assert.deepEqual(
      storage.requests.map(({ headers }) => headers.authorization),
      [undefined, undefined],
    );
    assert.equal(storage.requests[1]?.headers.range?.startsWith('bytes='), true);
  });

  it('takes no more bytes than the descriptor promises', async (t) => {
    const { server, repository } = await bench(t);
    server.store.addBlob('team/app', BLOB);
    server.fault({ path: '/blobs/' }, { kind: 'endless' });
    await assert.rejects(drained(repository.readBlob(DESCRIPTOR, 0, never)), { code: 'INVALID_SIZE' });
    server.heal();
    const small = { ...DESCRIPTOR, size: 1000 };
    await assert.rejects(drained(repository.readBlob(small, 0, never)), { code: 'INVALID_SIZE' });
  });

  it("that is not there is refused in the registry's words", async (t) => {
    const { server, repository } = await bench(t);
    server.store.addBlob('team/app', 'x');
    await assert.rejects(drained(repository.readBlob(DESCRIPTOR, 0, never)), {
      code: 'REGISTRY_NOT_FOUND',
      status: 404,
    });
  });

  it('of nothing asks nobody', async (t) => {
    const { server, repository } = await bench(t);
    assert.equal((await drained(repository.readBlob(descriptorOf(Buffer.alloc(0)), 0, never))).length, 0);
    assert.equal(server.requests.length, 0);
  });

  it('that its descriptor carries in itself asks nobody', async (t) => {
    const { server, repository } = await bench(t);
    const data = Buffer.from('{"a":1}');
    const descriptor = { ...descriptorOf(data), data: data.toString('base64') };
    assert.deepEqual(await drained(repository.readBlob(descriptor, 2, never)), data.subarray(2));
    assert.equal(server.requests.length, 0);
  });

  it('that is foreign follows its addresses only when that is allowed, without credentials', async (t) => {
    const elsewhere = await startHostileServer({ files: new Map([['/layer', BLOB]]) });
    t.after(() => elsewhere.close());
    const urls = ['ftp://nowhere/x', `${elsewhere.url}/missing`, `${elsewhere.url}/layer`];
    const descriptor = { ...DESCRIPTOR, urls };
    const auth = { kind: 'bearer', accounts: {} } as const;
    const refused = await bench(t, { server: { auth } });
    await assert.rejects(drained(refused.repository.readBlob(descriptor, 0, never)), { code: 'REGISTRY_NOT_FOUND' });
    assert.equal(elsewhere.requests.length, 0);
    const allowed = await bench(t, { server: { auth }, client: { foreignLayers: true } });
    assert.deepEqual(await drained(allowed.repository.readBlob(descriptor, 0, never)), BLOB);
    assert.ok(elsewhere.requests.every(({ headers }) => headers.authorization === undefined));
  });

  it('holds the server back while nobody asks, and lets it go when nobody will', async (t) => {
    const { server, repository } = await bench(t);
    const large = Buffer.alloc(64 * 2 ** 20, 1);
    server.store.addBlob('team/app', large);
    const stream = repository.readBlob(descriptorOf(large), 0, never)[Symbol.asyncIterator]();
    const first = await stream.next();
    assert.ok(first.done !== true && first.value.length <= 2 ** 20);
    await stream.return?.();
    assert.equal(server.requestsFor('/blobs/').length, 1);
    const control = new AbortController();
    control.abort(new Error('enough'));
    await assert.rejects(drained(repository.readBlob(DESCRIPTOR, 0, control.signal)), { message: 'enough' });
  });
});

describe('looking for a blob', () => {
  it('gives its size, or that it is not there', async (t) => {
    const { server, repository } = await bench(t);
    server.store.addBlob('team/app', BLOB);
    assert.equal(await repository.hasBlob(DESCRIPTOR.digest, never), 400_000);
    assert.equal(await repository.hasBlob(descriptorOf(noise(3)).digest, never), undefined);
    assert.equal(server.bytesSent('/blobs/'), 0);
  });

  it('gives nothing where the registry cannot tell', async (t) => {
    const { server, repository } = await bench(t, { server: { head: false } });
    server.store.addBlob('team/app', BLOB);
    assert.equal(await repository.hasBlob(DESCRIPTOR.digest, never), undefined);
  });
});
