import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serverMessage } from './server-message.ts';

const said = (body: unknown, type = 'application/json'): string | undefined =>
  serverMessage(type, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

describe('what a registry says about a refusal', () => {
  it('is code and message of its errors, the first three', () => {
    const errors = [1, 2, 3, 4].map((n) => ({ code: `C${n}`, message: `m${n}`, detail: {} }));
    assert.equal(said({ errors }), 'C1: m1; C2: m2; C3: m3');
    assert.equal(said({ errors: [{ code: 'DENIED' }] }), 'DENIED');
  });

  it('is the sentence that token servers write', () => {
    assert.equal(said({ error: 'invalid_grant', error_description: 'token is revoked' }), 'token is revoked');
    assert.equal(said({ details: 'incorrect username or password' }), 'incorrect username or password');
  });

  it('is safe to print, and short', () => {
    assert.equal(said({ message: 'a\u001b[2Jb' }), 'a\\u{1b}[2Jb');
    assert.equal(said({ message: 'x'.repeat(5000) })?.length, 300);
  });

  for (const body of ['', '<html>', 'null', '[]', '{"errors":[]}', '{"errors":[null,1]}', '{"message":7}']) {
    it(`is nothing in ${body}`, () => assert.equal(said(body), undefined));
  }

  it('is nothing in a page', () => assert.equal(said({ message: 'x' }, 'text/html; charset=utf-8'), undefined));
});
