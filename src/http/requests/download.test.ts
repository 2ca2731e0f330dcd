import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { etagOf, LAST_MODIFIED } from '../../../test/support/hostile-server.ts';
import { bench, IMAGE, never, sink } from '../client.fixture.ts';

describe('a download', () => {
  const b = bench();
  const size = IMAGE.length;
  let count = 0;
  const fresh = () => `/download/${count++}`;

  async function fetchInto(path: string, target: ReturnType<typeof sink>, options = {}, settings = {}) {
    const { onChunk, onRestart } = target;
    const whole = { size, offset: 0, onChunk, onRestart, signal: never, ...options };
    await b.client(settings).download(`${b.server.url}${path}`, whole);
  }

  it('brings every byte in order', async () => {
    const target = sink();
    await fetchInto('/image', target);
    assert.ok(target.content().equals(IMAGE));
    assert.equal(target.restarts, 0);
  });

  it('of which everything is there already asks for nothing', async () => {
    await fetchInto('/nowhere', sink(), { offset: size });
    assert.equal(b.server.requestsFor('/nowhere').length, 0);
  });

  it('begun in an earlier run is carried on, by a plain range', async () => {
    const target = sink(IMAGE.subarray(0, 1000));
    const path = fresh();
    b.server.route(path, { kind: 'serve', body: IMAGE });
    await fetchInto(path, target, { offset: 1000 });
    assert.ok(target.content().equals(IMAGE));
    assert.equal(target.restarts, 0);
    const { headers, bytesSent } = b.server.requestsFor(path)[0] ?? assert.fail('no request');
    assert.deepEqual([headers.range, headers['if-range'], bytesSent], ['bytes=1000-', undefined, size - 1000]);
  });

  for (const [trouble, behaviour] of [
    ['a reset', { kind: 'reset', after: 100_000 }],
    ['a truncation', { kind: 'truncate', after: 100_000 }],
    ['a stall', { kind: 'stall', after: 100_000 }],
  ] as const) {
    it(`goes on after ${trouble} where it stopped, for the same entity only`, async () => {
      const path = fresh();
      const target = sink();
      b.server.route(path, [
        { ...behaviour, body: IMAGE },
        { kind: 'serve', body: IMAGE },
      ]);
      await fetchInto(path, target);
      assert.ok(target.content().equals(IMAGE));
      assert.equal(target.restarts, 0);
      const { headers } = b.server.requestsFor(path)[1] ?? assert.fail('no second request');
      assert.deepEqual([headers.range, headers['if-range']], ['bytes=100000-', etagOf(IMAGE)]);
    });
  }

  it('takes the date instead of a weak tag to resume by', async () => {
    const path = fresh();
    const headers = { etag: 'W/"weak"' };
    b.server.route(path, [
      { kind: 'reset', after: 1000, body: IMAGE, headers },
      { kind: 'serve', body: IMAGE, headers },
    ]);
    const target = sink();
    await fetchInto(path, target);
    assert.ok(target.content().equals(IMAGE));
    assert.equal(target.restarts, 0);
    assert.equal(b.server.requestsFor(path)[1]?.headers['if-range'], LAST_MODIFIED);
  });

  it('starts over when the server gives nothing to resume by', async () => {
    const path = fresh();
    const headers = { etag: undefined, 'last-modified': undefined };
    b.server.route(path, [
      { kind: 'reset', after: 1000, body: IMAGE, headers },
      { kind: 'serve', body: IMAGE, headers },
    ]);
    const target = sink();
    await fetchInto(path, target);
    assert.ok(target.content().equals(IMAGE));
    assert.equal(target.restarts, 1);
    assert.equal(b.server.requestsFor(path)[1]?.headers.range, undefined);
  });

  it('starts over with the very answer of a server that ignores the range', async () => {
    const path = fresh();
    b.server.route(path, { kind: 'ignore-range', body: IMAGE });
    const target = sink(IMAGE.subarray(0, 5));
    await fetchInto(path, target, { offset: 5 });
    assert.ok(target.content().equals(IMAGE));
    assert.equal(target.restarts, 1);
    assert.equal(b.server.requestsFor(path).length, 1);
  });

  it('starts over when the file was swapped in between', async () => {
    const path = fresh();
    const other = Buffer.from(IMAGE).reverse();
    b.server.route(path, [
      { kind: 'reset', after: 1000, body: IMAGE },
      { kind: 'serve', body: other },
    ]);
    const target = sink();
    await fetchInto(path, target);
    assert.ok(target.content().equals(other));
    assert.equal(target.restarts, 1);
  });

  it('starts over when a range is of another entity, whatever If-Range said', async () => {
    const path = fresh();
    b.server.route(path, [
      { kind: 'reset', after: 1000, body: IMAGE },
      {
        kind: 'custom',
        handle: (_, response) => {
          const headers = { 'content-range': `bytes 1000-${size - 1}/${size}`, etag: '"other"' };
          response.writeHead(206, headers).end(IMAGE.subarray(1000));
        },
      },
      { kind: 'serve', body: IMAGE },
    ]);
    const target = sink();
    await fetchInto(path, target);
    assert.ok(target.content().equals(IMAGE));
    assert.equal(target.restarts, 1);
  });

  for (const [flaw, behaviour] of [
    ['a wrong offset', { kind: 'wrong-range', shift: 7 }],
    ['a wrong total', { kind: 'wrong-range', total: size + 1 }],
  ] as const) {
    it(`answered with ${flaw} starts over once, and then is an error`, async () => {
      const path = fresh();
      b.server.route(path, [
        { ...behaviour, body: IMAGE },
        { kind: 'reset', after: 70_000, body: IMAGE },
        { ...behaviour, body: IMAGE },
      ]);
      const target = sink(IMAGE.subarray(0, 500));
      await assert.rejects(fetchInto(path, target, { offset: 500 }), { code: 'HTTP_RANGE' });
      assert.equal(target.restarts, 1);
      assert.deepEqual(
        b.server.requestsFor(path).map(({ headers }) => headers.range),
        ['bytes=500-', undefined, 'bytes=70000-'],
      );
    });
  }

  it('answered with 416 starts over once', async () => {
    const path = fresh();
    b.server.route(path, [
      { kind: 'status', status: 416 },
      { kind: 'serve', body: IMAGE },
    ]);
    const target = sink(IMAGE.subarray(0, 500));
    await fetchInto(path, target, { offset: 500 });
    assert.ok(target.content().equals(IMAGE));
    assert.equal(target.restarts, 1);
  });

  it('answered with 416 for ever ends', async () => {
    const path = fresh();
    b.server.route(path, { kind: 'status', status: 416 });
    await assert.rejects(fetchInto(path, sink(IMAGE.subarray(0, 500)), { offset: 500 }), {
      code: 'HTTP_STATUS',
      status: 416,
    });
    assert.equal(b.server.requestsFor(path).length, 2);
  });

  it('with another Content-Length is refused before its first byte', async () => {
    for (const length of [size - 1, size + 1]) {
      const target = sink();
      await assert.rejects(fetchInto('/image', target, { size: length }), { code: 'HTTP_LENGTH' });
      assert.equal(target.content().length, 0);
    }
  });

  it('that brings more than it should is cut off, not drained', async () => {
    const path = fresh();
    b.server.route(path, { kind: 'endless' });
    const target = sink();
    await assert.rejects(fetchInto(path, target), { code: 'HTTP_LENGTH' });
    assert.ok(target.content().length <= size);
    assert.ok((b.server.requestsFor(path)[0]?.bytesSent ?? 0) < 50e6);
    assert.equal(b.server.requestsFor(path).length, 1);
  });

  it('that properly ends too early is refused', async () => {
    const path = fresh();
    b.server.route(path, { kind: 'chunked', body: IMAGE.subarray(1) });
    await assert.rejects(fetchInto(path, sink()), { code: 'HTTP_LENGTH' });
  });

  it('that is cut off, with nothing to tell its length, is carried on', async () => {
    const path = fresh();
    b.server.route(path, [
      { kind: 'until-close', body: IMAGE.subarray(0, 1000), headers: { etag: etagOf(IMAGE) } },
      { kind: 'serve', body: IMAGE },
    ]);
    const target = sink();
    await fetchInto(path, target);
    assert.ok(target.content().equals(IMAGE));
  });

  it('that loses its connection after the last byte is complete', async () => {
    const path = fresh();
    const end = {
      kind: 'custom' as const,
      handle: (_: unknown, response: import('node:http').ServerResponse) => {
        response.writeHead(200).write(IMAGE, () => response.socket?.end()); // chunked, without the last chunk
      },
    };
    b.server.route(path, end);
    const target = sink();
    await fetchInto(path, target);
    assert.ok(target.content().equals(IMAGE));
    assert.equal(b.server.requestsFor(path).length, 1);
  });

  it('forgets its failures as long as it gets on', async () => {
    const path = fresh();
    b.server.route(path, { kind: 'reset', after: 70_000, body: IMAGE });
    const target = sink();
    await fetchInto(path, target, {}, { retries: 1 });
    assert.ok(target.content().equals(IMAGE));
    assert.equal(b.server.requestsFor(path).length, 5);
  });

  it('does not take a byte per try for getting on', async () => {
    const path = fresh();
    b.server.route(path, { kind: 'reset', after: 1, body: IMAGE });
    await assert.rejects(fetchInto(path, sink()), { code: 'HTTP_INTERRUPTED' });
    assert.equal(b.server.requestsFor(path).length, 3);
  });

  it('does not take the same beginning again and again for getting on', async () => {
    const path = fresh();
    const headers = { etag: undefined, 'last-modified': undefined };
    b.server.route(path, { kind: 'reset', after: 200_000, body: IMAGE, headers });
    await assert.rejects(fetchInto(path, sink()), { code: 'HTTP_INTERRUPTED' });
    assert.equal(b.server.requestsFor(path).length, 3);
  });

  it('ends with what the sink throws, and without a retry', async () => {
    const path = fresh();
    b.server.route(path, { kind: 'serve', body: IMAGE });
    const full = new Error('ENOSPC');
    const onChunk = () => {
      throw full;
    };
    await assert.rejects(fetchInto(path, sink(), { onChunk }), full);
    assert.equal(b.server.requestsFor(path).length, 1);
  });

  it('ends in the middle when the signal is aborted', async () => {
    const path = fresh();
    b.server.route(path, { kind: 'stall', after: 1000, body: IMAGE });
    const controller = new AbortController();
    const reason = new Error('enough');
    const onChunk = () => void setImmediate(() => controller.abort(reason));
    await assert.rejects(
      fetchInto(path, sink(), { onChunk, signal: controller.signal }, { minRateWindowMs: 60_000 }),
      reason,
    );
  });

  it('whose sink blocks the process longer than the window has not stalled', async () => {
    const path = fresh();
    b.server.route(path, { kind: 'serve', body: IMAGE });
    const target = sink();
    const onChunk = (chunk: Uint8Array) => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
      target.onChunk(chunk);
    };
    await fetchInto(path, target, { onChunk }, { minRateWindowMs: 60, minRate: 10_000, retries: 0 });
    assert.ok(target.content().equals(IMAGE));
  });

  it('stays below the rate limit on average, and its pauses are no stall', async () => {
    const target = sink();
    const started = performance.now();
    await fetchInto('/image', target, {}, { limitRate: 400_000, minRateWindowMs: 50, minRate: 500_000, retries: 0 });
    const ms = performance.now() - started;
    assert.ok(target.content().equals(IMAGE));
    assert.ok(ms > 650 && ms < 2000, `${ms} ms for 750`);
  });

  it('shares the rate limit with the other transfers of its client', async () => {
    const client = b.client({ limitRate: 1_000_000 });
    const started = performance.now();
    await Promise.all(
      [1, 2].map(() => client.download(`${b.server.url}/image`, { ...sink(), size, offset: 0, signal: never })),
    );
    assert.ok(performance.now() - started > 500);
  });
});
