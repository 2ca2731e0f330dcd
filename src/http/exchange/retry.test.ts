import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bench, never } from '../client.fixture.ts';
import { backOff } from './retry.ts';
import { parseRetryAfter } from './retry-after.ts';

describe('the wait before a retry', () => {
  const b = bench();

  it('doubles, up to half a minute', () => {
    assert.deepEqual(
      [0, 1, 2, 9].map((failures) => backOff(500, failures, () => 1)),
      [500, 1000, 2000, 30_000],
    );
  });

  it('is jittered down to the half', () => {
    assert.equal(
      backOff(500, 1, () => 0),
      500,
    );
  });

  it('honours Retry-After, says so, and then goes on', async () => {
    b.server.route('/busy', [
      { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
      { kind: 'serve', body: 'x' },
    ]);
    const found = await b.client().getDocument(`${b.server.url}/busy`, { limit: 10, signal: never });
    assert.equal(found.kind, 'document');
    const [first, second] = b.server.requestsFor('/busy');
    assert.ok((second?.atMs ?? 0) - (first?.atMs ?? 0) >= 990);
    assert.match(b.notes[0] ?? '', /status 429; retry 1 of 2 in 1\.0 s$/);
  });

  it('is not taken when the server asks for too long', async () => {
    b.server.route('/long', { kind: 'status', status: 503, headers: { 'retry-after': '7200' } });
    const pending = b.client().getDocument(`${b.server.url}/long`, { limit: 10, signal: never });
    await assert.rejects(pending, { code: 'HTTP_UNAVAILABLE', status: 503, retryAfterMs: 7_200_000 });
    assert.equal(b.server.requestsFor('/long').length, 1);
  });

  it('ends when the signal is aborted', async () => {
    b.server.route('/down', { kind: 'status', status: 500 });
    const reason = new Error('enough');
    const controller = new AbortController();
    const client = b.client({ retryDelayMs: 60_000, onNote: () => controller.abort(reason) });
    await assert.rejects(client.getDocument(`${b.server.url}/down`, { limit: 1, signal: controller.signal }), reason);
  });

  it('ends when the client is closed', async () => {
    b.server.route('/down', { kind: 'status', status: 500 });
    const client = b.client({ retryDelayMs: 60_000, onNote: () => setImmediate(() => void client.close()) });
    const pending = client.getDocument(`${b.server.url}/down`, { limit: 1, signal: never });
    await assert.rejects(pending, { code: 'HTTP_CLOSED' });
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2024, 0, 1);
  for (const [text, expected] of [
    ['0', 0],
    ['120', 120_000],
    ['Mon, 01 Jan 2024 00:00:30 GMT', 30_000],
    ['Sun, 31 Dec 2023 00:00:00 GMT', 0],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const) {
    it(`${JSON.stringify(text) ?? 'that is absent'} means ${expected === undefined ? 'nothing' : `${expected} ms`}`, () => {
      assert.equal(parseRetryAfter(text, now), expected);
    });
  }
});
