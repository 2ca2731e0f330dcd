import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseTarget, showUrl } from './url.ts';

describe('a URL', () => {
  const decoded = (text: string) =>
    Buffer.from((parseTarget(text).authorization ?? '').slice(6), 'base64').toString('latin1');

  it('loses credentials and fragment before it is used', () => {
    assert.equal(parseTarget('https://u:p@h.test:8443/a/b?q=1#f').url.href, 'https://h.test:8443/a/b?q=1');
  });

  for (const [text, pair] of [
    ['http://u:p@h/', 'u:p'],
    ['http://u@h/', 'u:'],
    ['http://:p@h/', ':p'],
    ['http://a%40b:c%3Ad%2Fe@h/', 'a@b:c:d/e'],
    ['http://u:100%@h/', 'u:100%'],
    ['http://u:%FF@h/', 'u:\xff'],
  ] as const) {
    it(`gives ${JSON.stringify(pair)} as basic authentication from ${text}`, () => {
      assert.equal(decoded(text), pair);
    });
  }

  it('without credentials gives none', () => {
    assert.equal(parseTarget('http://h/').authorization, undefined);
  });

  it('is shown without credentials, query and fragment', () => {
    assert.equal(showUrl(new URL('https://u:secret@h/a%20b?token=secret#secret')), 'https://h/a%20b?…');
  });

  it('never shows a password, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (password) => {
        const url = `http://user:${encodeURIComponent(password.replace(/\W/g, 'x'))}@h/path?q`;
        return !showUrl(new URL(url)).includes(password.replace(/\W/g, 'x'));
      }),
    );
  });
});
