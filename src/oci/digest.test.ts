import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertDigest, DigestCheck, digestOf, isDigest, parseDigest, splitDigest } from './digest.ts';

const BYTES = Buffer.from('abc');
const DIGEST = 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('a digest', () => {
  it('names bytes, by sha256 and by sha512', () => {
    assert.equal(digestOf(BYTES), DIGEST);
    assert.match(digestOf(BYTES, 'sha512'), /^sha512:ddaf35a193617aba[0-9a-f]{112}$/);
    assert.deepEqual(splitDigest(DIGEST), { algorithm: 'sha256', hex: DIGEST.slice(7) });
  });

  for (const text of [
    '',
    'sha256',
    'sha256:',
    DIGEST.toUpperCase(),
    `${DIGEST}0`,
    DIGEST.slice(0, -1),
    `sha512:${DIGEST.slice(7)}`,
    `${DIGEST}\n`,
    'sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709',
    'constructor:aa',
    'sha256:../../../etc/passwd',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.equal(isDigest(text), false);
      assert.throws(() => parseDigest(text), { name: 'OciError', code: 'INVALID_DIGEST' });
    });
  }
});

describe('the check of a digest', () => {
  const check = (bytes: string, size: number | undefined) => {
    const running = new DigestCheck('blob', DIGEST, size);
    for (const byte of bytes) running.update(Buffer.from(byte));
    running.finish();
  };

  it('lets pass what was promised', () => {
    check('abc', 3);
    check('abc', undefined);
    assertDigest('blob', BYTES, DIGEST, 3);
    assertDigest('blob', BYTES, digestOf(BYTES, 'sha512'));
  });

  it('names other bytes', () => {
    assert.throws(() => check('abd', 3), { code: 'INVALID_DIGEST' });
    assert.throws(() => check('', undefined), { code: 'INVALID_DIGEST' });
  });

  it('names too few bytes at the end, and too many at once', () => {
    assert.throws(() => check('ab', 3), { code: 'INVALID_SIZE' });
    const running = new DigestCheck('blob', DIGEST, 3);
    assert.throws(() => running.update(Buffer.alloc(4)), { code: 'INVALID_SIZE' });
  });
});
