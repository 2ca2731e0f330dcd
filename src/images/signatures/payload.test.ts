import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { formatNamed, parseNamed } from '../../oci/index.ts';
import { encodePayload, parsePayload } from './payload.ts';
import { JsonFlaw } from './strict-json.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}` as const;
const CRITICAL = {
  identity: { 'docker-reference': 'quay.io/team/app:1' },
  image: { 'docker-manifest-digest': DIGEST },
  type: 'atomic container signature',
};
const parse = (value: unknown, kind: 'simple' | 'sigstore' = 'simple') =>
  parsePayload(Buffer.from(JSON.stringify(value)), kind);

describe('the payload of a signature', () => {
  it('comes back as it went in', () => {
    const time = fc.option(fc.integer({ min: 0, max: 2 ** 33 }), { nil: undefined });
    const creator = fc.option(fc.string(), { nil: undefined });
    fc.assert(
      fc.property(time, creator, fc.constantFrom('simple' as const, 'sigstore' as const), (seconds, program, kind) => {
        const claim = {
          digest: DIGEST,
          ...(program !== undefined && { creator: program }),
          ...(seconds !== undefined && { signedAtMs: seconds * 1000 }),
        };
        const bytes = encodePayload(claim, 'quay.io/team/app:1', kind);
        assert.deepEqual(parsePayload(bytes, kind), { ...claim, identity: parseNamed('quay.io/team/app:1') });
      }),
    );
  });

  it('has the bytes that the containers tools write', () => {
    const text = Buffer.from(encodePayload({ digest: DIGEST, creator: 'c', signedAtMs: 1999 }, 'busybox', 'sigstore'));
    const critical = `{"identity":{"docker-reference":"busybox"},"image":{"docker-manifest-digest":"${DIGEST}"},"type":"cosign container image signature"}`;
    assert.equal(text.toString(), `{"critical":${critical},"optional":{"creator":"c","timestamp":1}}`);
  });

  it('may say more where it is optional, and names images as Docker does', () => {
    const identity = { 'docker-reference': 'busybox:1' };
    const claim = parse({ critical: { ...CRITICAL, identity }, optional: { more: [1], creator: 'x' } });
    assert.equal(formatNamed(claim.identity), 'docker.io/library/busybox:1');
    assert.equal(claim.creator, 'x');
  });

  for (const [what, value] of [
    ['nothing in it', {}],
    ['no optional part', { critical: CRITICAL }],
    ['no critical part', { optional: {} }],
    ['an optional part of null', { critical: CRITICAL, optional: null }],
    ['an optional part that is a list', { critical: CRITICAL, optional: [] }],
    ['another member', { critical: CRITICAL, optional: {}, more: 1 }],
    ['another critical member', { critical: { ...CRITICAL, more: 1 }, optional: {} }],
    [
      'another member about the image',
      { critical: { ...CRITICAL, image: { ...CRITICAL.image, more: 1 } }, optional: {} },
    ],
    ['the type of cosign', { critical: { ...CRITICAL, type: 'cosign container image signature' }, optional: {} }],
    [
      'a digest of another kind',
      { critical: { ...CRITICAL, image: { 'docker-manifest-digest': 'md5:00' } }, optional: {} },
    ],
    ['an empty name', { critical: { ...CRITICAL, identity: { 'docker-reference': '' } }, optional: {} }],
    ['a name that is none', { critical: { ...CRITICAL, identity: { 'docker-reference': 'A B' } }, optional: {} }],
    ['a creator that is no text', { critical: CRITICAL, optional: { creator: 1 } }],
    ['half a second', { critical: CRITICAL, optional: { timestamp: 1.5 } }],
    ['a time that is a text', { critical: CRITICAL, optional: { timestamp: '1' } }],
  ] as const) {
    it(`with ${what} is refused`, () => assert.throws(() => parse(value), JsonFlaw));
  }

  it('with a member twice is refused, whichever of them is right', () => {
    const text = JSON.stringify({ critical: CRITICAL, optional: {} });
    for (const twice of [
      text.replace('"type"', '"type":"x","type"'),
      text.replace('"optional":{}', '"optional":{},"optional":{}'),
      text.replace('"optional":{}', '"optional":{"a":1,"\\u0061":2}'),
    ]) {
      assert.throws(() => parsePayload(Buffer.from(twice), 'simple'), JsonFlaw);
    }
    const notTwice = text.replace('"optional":{}', '"optional":{"a":{"b":"\\"b\\":"},"b":["a","b","a"]}');
    assert.equal(parsePayload(Buffer.from(notTwice), 'simple').digest, DIGEST);
  });

  it('damaged in any way is read or refused', () => {
    const bytes = Buffer.from(JSON.stringify({ critical: CRITICAL, optional: { creator: 'x', timestamp: 1 } }));
    const random = seededRandom(11);
    for (let i = 0; i < 3000; i++) {
      try {
        parsePayload(mutate(bytes, random), 'simple');
      } catch (error) {
        assert.ok(error instanceof JsonFlaw, String(error));
      }
    }
  });
});
