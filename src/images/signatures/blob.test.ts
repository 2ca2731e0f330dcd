import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { readKeptSignature } from './blob.ts';

const MEDIA_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const ANNOTATIONS = { 'dev.cosignproject.cosign/signature': 'YWI=' };
const kept = (name: string, value: unknown): Buffer =>
  Buffer.concat([Buffer.from(`\0${name}\n`), Buffer.from(JSON.stringify(value))]);
const SIGSTORE = { mimeType: MEDIA_TYPE, payload: 'e30=', annotations: ANNOTATIONS };

describe('a signature in a file', () => {
  it('is a simple one as it stands, or behind the name of its format', () => {
    const blob = Buffer.from([0x90, 1, 2]);
    assert.deepEqual(readKeptSignature(blob), { kind: 'simple', blob });
    const named = Buffer.concat([Buffer.from('\0simple-signing\n'), blob]);
    assert.deepEqual(readKeptSignature(named), { kind: 'simple', blob });
  });

  it('of sigstore has a payload and its signature', () => {
    assert.deepEqual(readKeptSignature(kept('sigstore-json', SIGSTORE)), {
      kind: 'sigstore',
      signature: { payload: Buffer.from('{}'), signature: Buffer.from('ab') },
    });
  });

  for (const [what, blob] of [
    ['of a format that nobody knows', kept('sigstore-xml', SIGSTORE)],
    ['without the name of its format', Buffer.from('\0\n{}')],
    ['without the end of that name', Buffer.from(`\0${'x'.repeat(100)}`)],
    ['of another media type', kept('sigstore-json', { ...SIGSTORE, mimeType: 'text/plain' })],
    ['without a signature', kept('sigstore-json', { ...SIGSTORE, annotations: {} })],
    ['with annotations of null', kept('sigstore-json', { ...SIGSTORE, annotations: null })],
    ['with a payload that is not base64', kept('sigstore-json', { ...SIGSTORE, payload: '%' })],
    ['with a member too many', kept('sigstore-json', { ...SIGSTORE, more: 1 })],
  ] as const) {
    it(`${what} is none`, () => assert.equal(readKeptSignature(blob).kind, 'unknown'));
  }

  it('damaged in any way is something or nothing', () => {
    const random = seededRandom(13);
    for (let i = 0; i < 2000; i++) readKeptSignature(mutate(kept('sigstore-json', SIGSTORE), random));
  });
});
