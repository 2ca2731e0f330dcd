import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeReport, plainReport, type SignatureReport } from './report.ts';

const gpg: SignatureReport = {
  ...plainReport('gpg', { status: 'good', key: 'ABCD', reason: undefined }, 'rsa'),
  keyId: 'CD',
  userId: 'Somebody "else"\u202e',
  signedAt: new Date('2026-01-02T03:04:05Z'),
  expiresAt: new Date('2026-02-02T00:00:00Z'),
  keyExpiresAt: new Date('2026-03-02T00:00:00Z'),
};
const BY = 'gpg signature by ABCD "Somebody \\"else\\"\\u{202e}"';

describe('the words about a signature', () => {
  it('tell who made a good one, and when; what is from outside acts on no terminal', () => {
    assert.equal(describeReport(gpg), `${BY}: good, made 2026-01-02T03:04:05Z`);
  });
  for (const [status, words] of [
    ['bad', 'bad: why'],
    ['expired-signature', 'expired: why (2026-02-02T00:00:00Z)'],
    ['expired-key', 'expired key: why (2026-03-02T00:00:00Z)'],
    ['revoked-key', 'revoked key: why'],
    ['unknown-key', 'unknown key: why'],
    ['unusable', 'unusable: why'],
  ] as const) {
    it(`tell what is wrong with one that is ${status}, and since when`, () => {
      assert.equal(describeReport({ ...gpg, status, reason: 'why' }), `${BY}: ${words}`);
    });
  }
  it('name the key id while the key is unknown, and nothing when there is not even that', () => {
    const unknown = { ...gpg, status: 'unknown-key', key: undefined, userId: undefined, reason: 'why' } as const;
    assert.equal(describeReport(unknown), 'gpg signature by CD: unknown key: why');
    assert.equal(describeReport({ ...unknown, keyId: undefined }), 'gpg signature: unknown key: why');
  });
  it('bear a time that is none', () => {
    assert.match(describeReport({ ...gpg, signedAt: new Date(Number.NaN) }), /at an impossible time$/);
  });
});
