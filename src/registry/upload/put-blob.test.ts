import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startHostileServer } from '../../../test/support/hostile-server.ts';
import type { BlobSource } from '../index.ts';
import { type Bench, bench, descriptorOf, never, noise, sourceOf } from '../registry.fixture.ts';

const BLOB = noise(3_000_000);
const DESCRIPTOR = descriptorOf(BLOB);
const CHUNK = { client: { uploadChunk: 1_000_000 } };

const stored = ({ server }: Bench, digest = DESCRIPTOR.digest): Buffer | undefined =>
  server.store.repository('team/app').blobs.get(digest);
const steps = ({ server }: Bench): string[] => server.requests.map(({ method, status }) => `${method} ${status}`);

describe('pushing a blob', () => {
  it('looks first, and sends nothing when it is there', async (t) => {
    const b = await bench(t);
    b.server.store.addBlob('team/app', BLOB);
    const { source, asked } = sourceOf(BLOB);
    await b.repository.putBlob(DESCRIPTOR, source, never);
    assert.deepEqual([steps(b), asked], [['HEAD 200'], []]);
  });

  it('sends a large one in pieces, from one reading of the source', async (t) => {
    const b = await bench(t, CHUNK);
    const { source, asked } = sourceOf(BLOB);
    await b.repository.putBlob(DESCRIPTOR, source, never);
    assert.deepEqual(steps(b), ['HEAD 404', 'POST 202', 'PATCH 202', 'PATCH 202', 'PATCH 202', 'PUT 201']);
    assert.deepEqual(
      b.server
        .requestsFor('/uploads/', 'PATCH')
        .map(({ headers }) => [headers['content-range'], headers['content-length']]),
      [
        ['0-999999', '1000000'],
        ['1000000-1999999', '1000000'],
        ['2000000-2999999', '1000000'],
      ],
    );
    assert.deepEqual([stored(b), asked], [BLOB, [0]]);
  });

  it('sends a small one, and an empty one, in one request', async (t) => {
    for (const bytes of [noise(70_000), Buffer.alloc(0)]) {
      const b = await bench(t);
      const descriptor = descriptorOf(bytes);
      await b.repository.putBlob(descriptor, sourceOf(bytes).source, never);
      assert.deepEqual(steps(b), ['HEAD 404', 'POST 202', 'PUT 201']);
      assert.deepEqual(stored(b, descriptor.digest), bytes);
    }
  });

  it('keeps sha512', async (t) => {
    const b = await bench(t, CHUNK);
    const descriptor = descriptorOf(BLOB, 'sha512');
    await b.repository.putBlob(descriptor, sourceOf(BLOB).source, never);
    assert.deepEqual(stored(b, descriptor.digest), BLOB);
  });

  it('goes on where a reset cut it off, with no byte sent twice that had arrived', async (t) => {
    const b = await bench(t, CHUNK);
    b.server.fault({ method: 'PATCH', path: '/uploads/', skip: 1, times: 1 }, { kind: 'reset-upload', after: 400_000 });
    const { source, asked } = sourceOf(BLOB);
    await b.repository.putBlob(DESCRIPTOR, source, never);
    assert.deepEqual(stored(b), BLOB);
    assert.deepEqual(asked, [0, 1_400_000]);
    assert.equal(b.server.bytesReceived('/uploads/'), BLOB.length);
    assert.ok(
      b.notes.some((note) => note.includes('1400000')),
      b.notes.join(),
    );
  });

  it('goes on after a stall', async (t) => {
    const b = await bench(t, CHUNK);
    b.server.fault({ method: 'PATCH', path: '/uploads/', times: 1 }, { kind: 'stall-upload', after: 400_000 });
    await b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never);
    assert.deepEqual(stored(b), BLOB);
  });

  it('finds out that a piece had arrived whose answer was lost', async (t) => {
    const b = await bench(t, CHUNK);
    b.server.fault({ method: 'PATCH', path: '/uploads/', skip: 1, times: 1 }, { kind: 'lose-answer' });
    await b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never);
    assert.deepEqual([stored(b), b.server.bytesReceived('/uploads/')], [BLOB, BLOB.length]);
  });

  it('finds out that the blob had arrived when the last answer was lost', async (t) => {
    for (const bytes of [BLOB, noise(1000)]) {
      const b = await bench(t, CHUNK);
      b.server.fault({ method: 'PUT', path: '/uploads/', times: 1 }, { kind: 'lose-answer' });
      const descriptor = descriptorOf(bytes);
      await b.repository.putBlob(descriptor, sourceOf(bytes).source, never);
      assert.deepEqual([stored(b, descriptor.digest), b.server.bytesReceived('/uploads/')], [bytes, bytes.length]);
    }
  });

  for (const status of [429, 500, 503]) {
    it(`repeats what a status ${status} refused`, async (t) => {
      const b = await bench(t, CHUNK);
      for (const method of ['POST', 'PATCH', 'PUT']) {
        b.server.fault(
          { method, path: '/uploads/', times: 1 },
          { kind: 'status', status, headers: { 'retry-after': '0' } },
        );
      }
      await b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never);
      assert.deepEqual(stored(b), BLOB);
    });
  }

  it('begins anew when the registry has forgotten the upload', async (t) => {
    const b = await bench(t, CHUNK);
    b.server.fault({ method: 'PATCH', path: '/uploads/', skip: 2, times: 1 }, { kind: 'status', status: 404 });
    b.server.fault({ method: 'GET', path: '/uploads/', times: 1 }, { kind: 'status', status: 404 });
    await b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never);
    assert.deepEqual(stored(b), BLOB);
    assert.equal(b.server.requestsFor('/uploads/', 'POST').length, 2);
  });

  it('sends the blob whole where pieces are refused, and remembers that', async (t) => {
    const b = await bench(t, { server: { chunked: false }, ...CHUNK });
    await b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never);
    assert.deepEqual(stored(b), BLOB);
    const other = noise(2_000_000);
    await b.registry.repository('team/other').putBlob(descriptorOf(other), sourceOf(other).source, never);
    assert.equal(b.server.requestsFor('/uploads/', 'PATCH').length, 1);
    assert.deepEqual(b.server.store.repository('team/other').blobs.get(descriptorOf(other).digest), other);
  });

  it('sends pieces as large as the registry wants them at least', async (t) => {
    const b = await bench(t, CHUNK);
    b.server.fault(
      { method: 'POST', path: '/uploads/' },
      { kind: 'headers', headers: { 'oci-chunk-min-length': '2000000' } },
    );
    await b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never);
    assert.deepEqual(
      b.server.requestsFor('/uploads/', 'PATCH').map(({ headers }) => headers['content-range']),
      ['0-1999999', '2000000-2999999'],
    );
  });

  it('gives up after a while when nothing gets through, and does not wait for ever for a byte at a time', async (t) => {
    const b = await bench(t, CHUNK);
    b.server.fault({ method: 'PATCH', path: '/uploads/' }, { kind: 'reset-upload', after: 10 });
    await assert.rejects(b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never), { code: 'HTTP_INTERRUPTED' });
    assert.equal(b.server.requestsFor('/uploads/', 'PATCH').length, 4);
  });

  it('refuses a source that is shorter or longer than promised, without asking it again', async (t) => {
    for (const [bytes, size] of [
      [noise(1500), 2000],
      [noise(1500), 1000],
      [noise(1_500_000), 2_000_000],
    ] as const) {
      const b = await bench(t, CHUNK);
      const { source, asked } = sourceOf(bytes);
      await assert.rejects(b.repository.putBlob({ ...descriptorOf(bytes), size }, source, never), {
        code: 'INVALID_SIZE',
      });
      assert.deepEqual(asked, [0]);
    }
  });

  it('ends in the error of a source that fails', async (t) => {
    const b = await bench(t, CHUNK);
    const source: BlobSource = async function* () {
      yield noise(10);
      throw new Error('disk on fire');
    };
    await assert.rejects(b.repository.putBlob(DESCRIPTOR, source, never), { message: 'disk on fire' });
    assert.ok(b.server.requestsFor('/uploads/', 'PATCH').length <= 1);
  });

  it('is told by the registry when the bytes are not what the digest says', async (t) => {
    const b = await bench(t, CHUNK);
    const wrong = { ...DESCRIPTOR, digest: descriptorOf(noise(8)).digest };
    await assert.rejects(b.repository.putBlob(wrong, sourceOf(BLOB).source, never), {
      code: 'REGISTRY_ERROR',
      status: 400,
    });
    assert.equal(b.server.requestsFor('/uploads/', 'PUT').length, 1);
  });

  it('refuses a registry that has stored something else', async (t) => {
    const b = await bench(t, CHUNK);
    const headers = { 'docker-content-digest': descriptorOf(noise(8)).digest };
    b.server.fault({ method: 'PUT', path: '/uploads/' }, { kind: 'headers', headers });
    await assert.rejects(b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never), { code: 'INVALID_DIGEST' });
  });

  it('takes no credentials along to another host that the registry sends it to', async (t) => {
    const storage = await startHostileServer();
    t.after(() => storage.close());
    const bytes: Buffer[] = [];
    storage.route('/up', {
      kind: 'custom',
      handle: (request, response) => {
        request.on('data', (chunk: Buffer) => bytes.push(chunk));
        request.on('end', () => response.writeHead(request.method === 'PUT' ? 201 : 202, { location: 'up?n=1' }).end());
      },
    });
    const b = await bench(t, {
      server: { auth: { kind: 'basic', accounts: { joe: 'x' } } },
      client: { ...CHUNK.client, credentials: { kind: 'basic', username: 'joe', password: 'x' } },
    });
    b.server.fault(
      { method: 'POST', path: '/uploads/' },
      { kind: 'headers', headers: { location: `${storage.url}/up` } },
    );
    await b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never);
    assert.deepEqual(Buffer.concat(bytes), BLOB);
    assert.ok(storage.requests.every(({ headers }) => headers.authorization === undefined));
    assert.deepEqual(
      storage.requests.map(({ method, url }) => `${method} ${url}`),
      ['PATCH /up', 'PATCH /up?n=1', 'PATCH /up?n=1', `PUT /up?n=1&digest=${encodeURIComponent(DESCRIPTOR.digest)}`],
    );
  });

  it('stops in a pause between two tries', async (t) => {
    const b = await bench(t, { client: { ...CHUNK.client, uploadRetry: { retries: 3, delayMs: 60_000 } } });
    b.server.fault({ method: 'PATCH', path: '/uploads/' }, { kind: 'lose-answer' });
    const control = new AbortController();
    setTimeout(() => control.abort(new Error('enough')), 200);
    await assert.rejects(b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, control.signal), {
      message: 'enough',
    });
  });

  it('stops when it is told to', async (t) => {
    const b = await bench(t, CHUNK);
    b.server.fault({ method: 'PATCH', path: '/uploads/' }, { kind: 'stall-upload', after: 100 });
    const control = new AbortController();
    setTimeout(() => control.abort(new Error('enough')), 50);
    await assert.rejects(b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, control.signal), {
      message: 'enough',
    });
  });
});

describe('mounting a blob', () => {
  it('takes it over without a byte', async (t) => {
    const b = await bench(t);
    b.server.store.addBlob('other', BLOB);
    assert.equal(await b.repository.mountBlob(DESCRIPTOR.digest, 'other', never), true);
    assert.deepEqual([stored(b), b.server.bytesReceived('/')], [BLOB, 0]);
  });

  it('that is not possible becomes the beginning of its upload', async (t) => {
    const b = await bench(t, { server: { mount: false }, ...CHUNK });
    assert.equal(await b.repository.mountBlob(DESCRIPTOR.digest, 'other', never), false);
    await b.repository.putBlob(DESCRIPTOR, sourceOf(BLOB).source, never);
    assert.deepEqual(stored(b), BLOB);
    assert.equal(b.server.requestsFor('/uploads/', 'POST').length, 1);
  });

  it('from where one may not read is just not possible', async (t) => {
    const auth = { kind: 'bearer', accounts: {}, anonymous: ['pull'] } as const;
    const b = await bench(t, { server: { auth } });
    assert.equal(await b.repository.mountBlob(DESCRIPTOR.digest, 'other', never), false);
  });
});
