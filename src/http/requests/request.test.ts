import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { bench, IMAGE, never } from '../client.fixture.ts';

/** Answers with the method and the body it was sent. */
const echo = {
  kind: 'custom',
  handle: (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const length = request.headers['content-length'] ?? 'none';
      response.writeHead(201, { 'x-length': length }).end(`${request.method} ${Buffer.concat(chunks)}`);
    });
  },
} as const;

async function* parts(): AsyncIterable<Uint8Array> {
  yield Buffer.from('a');
  yield Buffer.from('bc');
}

describe('a request', () => {
  const b = bench();
  const send = (path: string, options = {}, settings = {}) =>
    b.client(settings).request(`${b.server.url}${path}`, { signal: never, ...options });

  it('sends bytes and gives status, headers and the body of the answer', async () => {
    b.server.route('/echo', echo);
    const { status, headers, bytes } = await send('/echo', { method: 'PUT', body: Buffer.from('abc') });
    assert.deepEqual([status, headers.get('x-length'), String(bytes)], [201, '3', 'PUT abc']);
  });

  it('sends a stream of unknown length, or of the length in its header', async () => {
    b.server.route('/echo', echo);
    const unknown = await send('/echo', { method: 'PATCH', body: parts });
    assert.deepEqual([unknown.headers.get('x-length'), String(unknown.bytes)], ['none', 'PATCH abc']);
    const known = await send('/echo', { method: 'PATCH', body: parts, headers: { 'Content-Length': '3' } });
    assert.deepEqual([known.headers.get('x-length'), String(known.bytes)], ['3', 'PATCH abc']);
  });

  it('sends a stream again when a redirect or a retry asks for it', async () => {
    b.server.route('/again', [
      { kind: 'status', status: 503 },
      { kind: 'redirect', to: '/echo', status: 307 },
    ]);
    b.server.route('/echo', echo);
    const { bytes } = await send('/again', { method: 'PUT', body: parts });
    assert.equal(String(bytes), 'PUT abc');
  });

  it('that may not be done twice is not repeated by itself', async () => {
    b.server.route('/down', { kind: 'status', status: 503 });
    await assert.rejects(send('/down', { method: 'POST', body: Buffer.from('x') }), { code: 'HTTP_UNAVAILABLE' });
    assert.equal(b.server.requestsFor('/down').length, 1);
    await assert.rejects(send('/down', { method: 'POST', retry: true }), { code: 'HTTP_UNAVAILABLE' });
    assert.equal(b.server.requestsFor('/down').length, 4);
  });

  it('takes the statuses that the caller accepts for an answer', async () => {
    b.server.route('/who', { kind: 'status', status: 401, headers: { 'www-authenticate': 'Bearer realm="x"' } });
    const { status, headers } = await send('/who', { accepts: (found: number) => found === 401 });
    assert.deepEqual([status, headers.get('www-authenticate')], [401, 'Bearer realm="x"']);
  });

  it('sends the headers of the caller instead of its own', async () => {
    await send('/manifest', { headers: { Accept: 'application/json', Authorization: 'Bearer t' } });
    const { headers } = b.server.requests.at(-1) ?? assert.fail('no request');
    assert.deepEqual([headers.accept, headers.authorization], ['application/json', 'Bearer t']);
  });

  it('with HEAD has headers and no body', async () => {
    const { headers, bytes } = await send('/image', { method: 'HEAD' });
    assert.deepEqual([headers.get('content-length'), bytes.length], [String(IMAGE.length), 0]);
  });

  it('keeps no more in memory than its limit', async () => {
    await assert.rejects(send('/image', { limit: 1000 }), { code: 'TOO_LARGE' });
  });

  it('hands the body to a sink that may take its time, which is no stall', async () => {
    const taken: Buffer[] = [];
    const onChunk = async (chunk: Uint8Array) => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      taken.push(Buffer.from(chunk)); // only now: the bytes must still be there
    };
    b.server.route('/large', {
      kind: 'serve',
      body: Buffer.concat([IMAGE, IMAGE, IMAGE, IMAGE, IMAGE, IMAGE, IMAGE, IMAGE]),
    });
    await send('/large', { onChunk }, { minRateWindowMs: 20, minRate: 1e9, retries: 0 });
    assert.ok(Buffer.concat(taken).equals(Buffer.concat(new Array(8).fill(IMAGE))));
  });

  it('that has delivered something is repeated only for a sink that can start over', async () => {
    b.server.route('/cut', [
      { kind: 'reset', after: 10, body: IMAGE },
      { kind: 'serve', body: IMAGE },
    ]);
    await assert.rejects(send('/cut', { onChunk: () => undefined }), { code: 'HTTP_INTERRUPTED' });
    b.server.route('/cut', [
      { kind: 'reset', after: 10, body: IMAGE },
      { kind: 'serve', body: IMAGE },
    ]);
    let size = 0;
    const onChunk = (chunk: Uint8Array) => {
      size += chunk.length;
    };
    const onRestart = () => {
      size = 0;
    };
    await send('/cut', { onChunk, onRestart });
    assert.equal(size, IMAGE.length);
  });

  it('ends with what its sink rejects with', async () => {
    const full = new Error('ENOSPC');
    await assert.rejects(send('/image', { onChunk: () => Promise.reject(full) }), full);
  });

  describe('to something that accepts connections and says nothing', () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket));
    const address = () => `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    before(() => new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve)));
    after(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });

    it('over TLS is given up as unreachable, with no retry', async () => {
      const client = b.client({ connectTimeoutMs: 50 });
      await assert.rejects(client.request(`https://${address()}/`, { signal: never }), { code: 'HTTP_UNREACHABLE' });
      assert.equal(sockets.size, 1);
    });

    it('in the place of a proxy is given up as unreachable', async () => {
      const client = b.client({ connectTimeoutMs: 50, env: { https_proxy: `http://${address()}` } });
      await assert.rejects(client.request('https://127.0.0.1:1/', { signal: never }), { code: 'HTTP_UNREACHABLE' });
    });
  });

  it('that uploads slower than the minimum rate has stalled', async () => {
    b.server.route('/echo', echo);
    async function* slow(): AsyncIterable<Uint8Array> {
      yield Buffer.from('a');
      await new Promise((resolve) => setTimeout(resolve, 1000).unref());
    }
    await assert.rejects(send('/echo', { method: 'POST', body: slow }), { code: 'HTTP_STALLED' });
  });
});
