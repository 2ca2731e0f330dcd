import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { etagOf } from '../../../test/support/hostile-server.ts';
import { bench, never } from '../client.fixture.ts';

const TEXT = 'Tako Manifest 1\n';

describe('a document', () => {
  const b = bench();
  const get = (path: string, options: { limit?: number; etag?: string; signal?: AbortSignal } = {}, settings = {}) =>
    b.client(settings).getDocument(`${b.server.url}${path}`, { limit: 1000, signal: never, ...options });

  it('arrives whole, with its entity tag and its address', async () => {
    const found = await get('/manifest');
    assert.deepEqual(found, {
      kind: 'document',
      bytes: Buffer.from(TEXT),
      etag: etagOf(TEXT),
      url: `${b.server.url}/manifest`,
    });
  });

  it('is asked for with our name and without any encoding', async () => {
    await get('/manifest');
    const { headers } = b.server.requests.at(-1) ?? assert.fail('no request');
    assert.equal(headers['user-agent'], 'tako/test');
    assert.equal(headers['accept-encoding'], 'identity');
    assert.equal(headers.accept, '*/*');
    assert.equal(headers.authorization, undefined);
  });

  it('that has not changed is not sent again', async () => {
    assert.deepEqual(await get('/manifest', { etag: etagOf(TEXT) }), { kind: 'unchanged' });
  });

  it('with a damaged remembered tag is asked for unconditionally', async () => {
    const found = await get('/manifest', { etag: '"a"\r\nx: y' });
    assert.equal(found.kind, 'document');
    assert.equal(b.server.requests.at(-1)?.headers['if-none-match'], undefined);
  });

  it('that was not asked for conditionally cannot be unchanged', async () => {
    b.server.route('/not-asked', { kind: 'status', status: 304, headers: { 'content-length': undefined } });
    await assert.rejects(get('/not-asked'), { code: 'HTTP_STATUS', status: 304 });
  });

  it('may be exactly as long as the limit', async () => {
    assert.equal((await get('/manifest', { limit: TEXT.length })).kind, 'document');
  });

  it('one byte beyond the limit is refused by its Content-Length', async () => {
    await assert.rejects(get('/manifest', { limit: TEXT.length - 1 }), { code: 'TOO_LARGE' });
  });

  it('without end is cut off at the limit, and not received any further', async () => {
    b.server.route('/endless', { kind: 'endless' });
    await assert.rejects(get('/endless', { limit: 100_000 }), { code: 'TOO_LARGE' });
    assert.equal(b.server.requestsFor('/endless').length, 1);
    assert.ok((b.server.requestsFor('/endless')[0]?.bytesSent ?? 0) < 50e6);
  });

  it('that comes byte by byte takes no more memory than one in large pieces', async () => {
    const size = 400_000;
    b.server.route('/crumbs', {
      kind: 'custom',
      handle: (_, response) => {
        response.writeHead(200, { 'transfer-encoding': 'chunked' }).flushHeaders(); // what follows is written as it is
        response.socket?.write('1\r\nx\r\n'.repeat(size));
        response.socket?.end('0\r\n\r\n');
      },
    });
    const heap = (): number => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    };
    const before = heap();
    let peak = 0;
    const timer = setInterval(() => (peak = Math.max(peak, heap())), 5);
    const found = await get('/crumbs', { limit: size });
    clearInterval(timer);
    assert.equal(found.kind === 'document' && found.bytes.length, size);
    assert.ok(peak - before < 40e6, `${peak - before} bytes more`);
  });

  it('labelled as compressed is handed over as it was sent', async () => {
    b.server.route('/labelled', { kind: 'serve', body: 'not gzip', headers: { 'content-encoding': 'gzip' } });
    const found = await get('/labelled');
    assert.equal(found.kind === 'document' && Buffer.from(found.bytes).toString(), 'not gzip');
  });

  for (const kind of ['chunked', 'until-close'] as const) {
    it(`may come without a length (${kind})`, async () => {
      b.server.route(`/${kind}`, { kind, body: TEXT });
      const found = await get(`/${kind}`);
      assert.equal(found.kind === 'document' && Buffer.from(found.bytes).toString(), TEXT);
    });
  }

  it('that is an error page with status 200 is for the caller to judge', async () => {
    b.server.route('/page', { kind: 'status', status: 200, body: '<html>', headers: { 'content-type': 'text/html' } });
    assert.equal((await get('/page')).kind, 'document');
  });

  for (const [trouble, behaviour] of [
    ['a truncated body', { kind: 'truncate', after: 5 }],
    ['a reset', { kind: 'reset', after: 5 }],
    ['a stalled body', { kind: 'stall', after: 5 }],
    ['silence', { kind: 'stall' }],
    ['one 500', { kind: 'status', status: 500 }],
    ['one 429', { kind: 'status', status: 429 }],
    ['a Content-Length beyond the body', { kind: 'wrong-length', length: 500 }],
  ] as const) {
    it(`arrives in a second try after ${trouble}`, async () => {
      const path = `/once/${trouble.replaceAll(' ', '-')}`;
      b.server.route(path, [
        { ...behaviour, body: TEXT },
        { kind: 'serve', body: TEXT },
      ]);
      const found = await get(path);
      assert.equal(found.kind === 'document' && Buffer.from(found.bytes).toString(), TEXT);
      assert.equal(b.notes.length, 1);
    });
  }

  for (const [trouble, behaviour, code] of [
    ['truncated', { kind: 'truncate', after: 5, body: TEXT }, 'HTTP_INTERRUPTED'],
    ['reset', { kind: 'reset', after: 5, body: TEXT }, 'HTTP_INTERRUPTED'],
    ['stalled', { kind: 'stall', after: 5, body: TEXT }, 'HTTP_STALLED'],
    ['never answered', { kind: 'stall', body: TEXT }, 'HTTP_STALLED'],
    ['sent byte by byte', { kind: 'drip', everyMs: 20, body: TEXT.repeat(5) }, 'HTTP_STALLED'],
    ['answered with 503', { kind: 'status', status: 503 }, 'HTTP_UNAVAILABLE'],
    ['answered with 429', { kind: 'status', status: 429 }, 'HTTP_UNAVAILABLE'],
  ] as const) {
    it(`that is always ${trouble} is given up after all retries with ${code}`, async () => {
      const path = `/always/${trouble.replaceAll(' ', '-')}`;
      b.server.route(path, behaviour);
      await assert.rejects(get(path), { code });
      assert.equal(b.server.requestsFor(path).length, 3);
    });
  }

  for (const [status, code] of [
    [400, 'HTTP_STATUS'],
    [401, 'HTTP_DENIED'],
    [403, 'HTTP_DENIED'],
    [404, 'HTTP_NOT_FOUND'],
    [410, 'HTTP_GONE'],
    [416, 'HTTP_STATUS'],
    [204, 'HTTP_STATUS'],
    [206, 'HTTP_STATUS'],
  ] as const) {
    it(`answered with ${status} is ${code}, at once`, async () => {
      b.server.route(`/status/${status}`, { kind: 'status', status, headers: { 'content-length': undefined } });
      await assert.rejects(get(`/status/${status}`), { code, status });
      assert.equal(b.server.requestsFor(`/status/${status}`).length, 1);
    });
  }

  it('that was swapped between two requests is the new one', async () => {
    b.server.route('/swapped', [
      { kind: 'serve', body: 'old' },
      { kind: 'serve', body: 'new' },
    ]);
    const old = await get('/swapped');
    const found = await get('/swapped', { etag: old.kind === 'document' ? (old.etag ?? '') : '' });
    assert.equal(found.kind === 'document' && Buffer.from(found.bytes).toString(), 'new');
  });

  it('is given up at once when the signal is aborted, with its reason', async () => {
    b.server.route('/silent', { kind: 'stall' });
    const reason = new Error('enough');
    const controller = new AbortController();
    const pending = get('/silent', { signal: controller.signal }, { minRateWindowMs: 60_000 });
    setTimeout(() => controller.abort(reason), 20);
    await assert.rejects(pending, reason);
    await assert.rejects(get('/manifest', { signal: controller.signal }), reason);
  });

  it('is given up when the client is closed', async () => {
    b.server.route('/silent', { kind: 'stall' });
    const client = b.client({ minRateWindowMs: 60_000 });
    const pending = client.getDocument(`${b.server.url}/silent`, { limit: 1, signal: never });
    setTimeout(() => void client.close(), 20);
    await assert.rejects(pending, { code: 'HTTP_CLOSED' });
    await assert.rejects(client.getDocument(b.server.url, { limit: 1, signal: never }), { code: 'HTTP_CLOSED' });
  });

  it('from a port nobody listens on is unreachable, at once', async () => {
    const client = b.client({ retryDelayMs: 60_000 });
    const pending = client.getDocument('http://127.0.0.1:1/x', { limit: 1, signal: never });
    await assert.rejects(pending, { code: 'HTTP_UNREACHABLE' });
  });

  it('with an address that is none is refused by name', async () => {
    const client = b.client();
    for (const url of ['manifest', 'ftp://127.0.0.1/x', 'file:///etc/passwd']) {
      await assert.rejects(client.getDocument(url, { limit: 1, signal: never }), { code: 'HTTP_BAD_URL' });
    }
  });

  it('over a protocol that is not HTTP is an error of its own', async () => {
    b.server.route('/garbage', { kind: 'custom', handle: ({ socket }) => void socket.end('SSH-2.0-OpenSSH\r\n') });
    await assert.rejects(get('/garbage'), { code: 'HTTP_PROTOCOL' });
  });

  it('uses one connection for several requests', async () => {
    const client = b.client();
    for (let i = 0; i < 3; i++) {
      await client.getDocument(`${b.server.url}/manifest?reuse`, { limit: 100, signal: never });
    }
    const ports = b.server.requests.filter(({ url }) => url.endsWith('?reuse')).map(({ port }) => port);
    assert.equal(ports.length, 3);
    assert.equal(new Set(ports).size, 1);
  });
});
