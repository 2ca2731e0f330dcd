import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpResponse } from '../../http/index.ts';
import { locationOf, receivedBytes, withDigest } from './location.ts';

const asked = { host: 'x', what: 'upload' };
const answer = (
  headers: Readonly<Record<string, string>>,
  url = 'https://host:5000/v2/a/blobs/uploads/',
): HttpResponse => ({
  status: 202,
  url: new URL(url),
  headers: new Map(Object.entries(headers)),
  bytes: new Uint8Array(),
});
const place = (location: string, insecure = false, url?: string): string | undefined =>
  locationOf(asked, answer({ location }, url), insecure)?.href;

describe('the place of an upload', () => {
  it('is absolute or relative, on this host or another', () => {
    assert.equal(place('/v2/a/blobs/uploads/1?s=%2F+%20'), 'https://host:5000/v2/a/blobs/uploads/1?s=%2F+%20');
    assert.equal(place('2'), 'https://host:5000/v2/a/blobs/uploads/2');
    assert.equal(place('https://storage.example/up?x#y'), 'https://storage.example/up?x');
    assert.equal(locationOf(asked, answer({}), false), undefined);
  });

  for (const [what, location] of [
    ['in clear', 'http://host:5000/x'],
    ['with credentials', 'https://a:b@host/x'],
    ['in a file', 'file:///x'],
    ['nowhere', 'https://'],
  ] as const) {
    it(`${what} is refused`, () => assert.throws(() => place(location), { code: 'REGISTRY_PROTOCOL' }));
  }

  it('may be in clear for an insecure registry', () => {
    assert.equal(place('/x', true, 'http://host/'), 'http://host/x');
  });

  it('gets the digest behind whatever its query is, which stays as it was', () => {
    const closed = (url: string): string => withDigest(new URL(url), 'sha256:ab').href;
    assert.equal(closed('https://h/u'), 'https://h/u?digest=sha256%3Aab');
    assert.equal(closed('https://h/u?_state=a%2Bb+c==&d'), 'https://h/u?_state=a%2Bb+c==&d&digest=sha256%3Aab');
  });
});

describe('the bytes that have arrived', () => {
  for (const [range, bytes] of [
    ['0-99', 100],
    ['bytes=0-99', 100],
    ['0-0', undefined], // none, or one
    ['1-99', undefined],
    ['0-', undefined],
    ['0-99999999999999999999', undefined],
  ] as const) {
    it(`of ${range} are ${bytes ?? 'unknown'}`, () => assert.equal(receivedBytes(answer({ range })), bytes));
  }
});
