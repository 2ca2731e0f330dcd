import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bench, never } from '../client.fixture.ts';
import { statusError } from './message.ts';

const textOf = (type: string, body: string | Buffer, status = 403) =>
  statusError({ status, headers: new Map([['content-type', type]]), url: new URL('http://h/x') }, Buffer.from(body))
    .message;

describe('the error of a status', () => {
  const b = bench();

  for (const [what, type, body, expected] of [
    ['plain text', 'text/plain', 'quota exceeded\nsecond line', 'quota exceeded'],
    ['plain text after blank lines', 'text/plain; charset=utf-8', '\r\n  \nquota exceeded ', 'quota exceeded'],
    ['an error of a registry', 'application/json', '{"errors":[{"code":"DENIED","message":"not yours"}]}', 'not yours'],
    ['a JSON message', 'application/problem+json', '{"detail":"too old"}', 'too old'],
    ['JSON of another form', 'application/json', '{"a":1}', '{"a":1}'],
    ['cut JSON', 'application/json', '{"message":"abc', '{"message":"abc'],
    ['escapes of a terminal', 'text/plain', '\u001b[2Jgone\u202e', '\\u{1b}[2Jgone\\u{202e}'],
  ] as const) {
    it(`carries ${what}`, () => {
      assert.equal(textOf(type, body), `http://h/x: status 403: ${expected}`);
    });
  }

  it('carries nothing of a page, an unlabelled or an empty body', () => {
    for (const [type, body] of [
      ['text/html', '<h1>Forbidden</h1>'],
      ['', 'x'],
      ['text/plain', ''],
    ] as const) {
      assert.equal(textOf(type, body), 'http://h/x: status 403');
    }
  });

  it('carries at most two hundred characters', () => {
    assert.equal(textOf('text/plain', 'é'.repeat(4000)).length, 'http://h/x: status 403: '.length + 201);
  });

  it('shows the address without credentials and parameters', async () => {
    b.server.route('/denied', { kind: 'status', status: 403, body: 'no', headers: { 'content-type': 'text/plain' } });
    const url = `${b.server.url.replace('//', '//user:secret@')}/denied?token=secret`;
    await assert.rejects(b.client().getDocument(url, { limit: 1, signal: never }), (error: Error) => {
      assert.equal(error.message, `${b.server.url}/denied?…: status 403: no`);
      return true;
    });
  });

  it('is known although its explanation never ends', async () => {
    b.server.route('/denied', {
      kind: 'status',
      status: 403,
      body: 'x'.repeat(1e6),
      headers: { 'content-length': '9999999' },
    });
    await assert.rejects(b.client().getDocument(`${b.server.url}/denied`, { limit: 1, signal: never }), {
      code: 'HTTP_DENIED',
    });
  });

  it('is known although its explanation stalls', async () => {
    b.server.route('/denied', {
      kind: 'custom',
      handle: (_, response) =>
        void response.writeHead(410, { 'content-type': 'text/plain', 'content-length': '100' }).write('moved away'),
    });
    const pending = b.client().getDocument(`${b.server.url}/denied`, { limit: 1, signal: never });
    await assert.rejects(pending, { code: 'HTTP_GONE', message: `${b.server.url}/denied: status 410: moved away` });
  });
});
