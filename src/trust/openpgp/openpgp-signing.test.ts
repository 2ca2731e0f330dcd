import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { gpgHome } from './gpg.fixture.ts';
import { gpgProgramSigner, openKeyring, openSigningKey } from './open.ts';

const DATA = Buffer.from('to be signed\0\r\n');
const code = { name: 'CodedError', code: 'OPENPGP_KEY' };
const file = (bytes: Uint8Array) => ({ name: 'secret', bytes });
const live = (): AbortSignal => new AbortController().signal;

describe('a signature made here', { skip: needs('gpg', 'gpgconf') }, () => {
  const home = gpgHome({ after });

  for (const algorithm of ['rsa3072', 'ed25519', 'nistp256', 'nistp384']) {
    it(`by a secret key of type ${algorithm} is good for gpg and for us`, async () => {
      const fingerprint = home.makeKey(algorithm, algorithm);
      const secret = home.gpg(['--batch', '--armor', '--export-secret-keys', fingerprint]);
      const signer = await openSigningKey(file(secret), {});
      assert.equal(signer.keyId, fingerprint.slice(-16));
      const signature = await signer.sign(DATA);
      assert.deepEqual(home.verdicts(DATA, signature), ['GOODSIG']);
      assert.deepEqual(home.verdicts(Buffer.from('other'), signature), ['BADSIG']);
      const ring = await openKeyring([{ name: 'ring', bytes: home.publicKeys(fingerprint) }]);
      assert.equal((await ring.verify(DATA, signature, new Date()))[0]?.status, 'good');
    });
  }

  it('comes from the key that is named, by id, fingerprint, mail address or user id', async () => {
    const first = home.makeKey('One <one@example.com>', 'ed25519');
    const second = home.makeKey('Two <two@example.com>', 'ed25519');
    const secret = home.secretKeys(first, second);
    for (const name of [
      second,
      `0x${second.slice(-16)}`,
      'two@example.com',
      'TWO@example.com',
      'Two <two@example.com>',
    ]) {
      assert.equal((await openSigningKey(file(secret), { keyId: name })).keyId, second.slice(-16), name);
    }
    await assert.rejects(openSigningKey(file(secret), {}), code); // two keys, none named
    await assert.rejects(openSigningKey(file(secret), { keyId: 'wo@example.com' }), code);
    await assert.rejects(openSigningKey(file(secret), { keyId: 'example.com' }), code);
    await assert.rejects(openSigningKey(file(secret), { keyId: '0'.repeat(40) }), code);
  });

  it('comes from the newest signing subkey unless another part is named', async () => {
    const primary = home.makeKey('subkeys', 'ed25519', 'never', '20200101T000000');
    const older = home.addSubkey(primary, 'ed25519', 'never', '20200601T000000');
    const newer = home.addSubkey(primary, 'ed25519', 'never', '20210101T000000');
    const secret = home.secretKeys(primary);
    for (const [keyId, expected] of [
      [undefined, newer],
      ['subkeys', newer],
      [older, older],
      [`${older.slice(-16)}!`, older],
      [primary, newer],
      [`${primary}!`, primary],
    ] as const) {
      const signer = await openSigningKey(file(secret), keyId === undefined ? {} : { keyId });
      assert.equal(signer.keyId, expected.slice(-16));
      assert.deepEqual(home.verdicts(DATA, await signer.sign(DATA)), ['GOODSIG']);
    }
  });

  it('needs the passphrase where there is one, and the right one', async () => {
    const options = [
      '--batch',
      '--passphrase',
      'open sesame',
      '--quick-generate-key',
      'locked',
      'ed25519',
      'sign',
      'never',
    ];
    home.gpg(options);
    const secret = home.gpg(['--batch', '--passphrase', 'open sesame', '--export-secret-keys', 'locked']);
    const signer = await openSigningKey(file(secret), { passphrase: 'open sesame' });
    assert.deepEqual(home.verdicts(DATA, await signer.sign(DATA)), ['GOODSIG']);
    await assert.rejects(openSigningKey(file(secret), { passphrase: 'open barley' }), code);
    await assert.rejects(openSigningKey(file(secret), { passphrase: '' }), code);
    await assert.rejects(openSigningKey(file(secret), {}), code);
  });

  it('can come from a subkey whose primary key is kept elsewhere', async () => {
    const primary = home.makeKey('offline', 'ed25519');
    const subkey = home.addSubkey(primary, 'ed25519');
    const secret = home.gpg(['--batch', '--export-secret-subkeys', primary]);
    const signer = await openSigningKey(file(secret), {});
    assert.equal(signer.keyId, subkey.slice(-16));
    assert.deepEqual(home.verdicts(DATA, await signer.sign(DATA)), ['GOODSIG']);
    assert.equal((await openSigningKey(file(secret), { keyId: primary })).keyId, subkey.slice(-16));
    await assert.rejects(openSigningKey(file(secret), { keyId: `${primary}!` }), code);
  });

  it('is refused for keys that have expired, were revoked or are too weak', async () => {
    const expired = home.makeKey('expired', 'ed25519', '1y', '20200101T000000');
    const revoked = home.makeKey('revoked', 'ed25519');
    home.revoke(revoked);
    const weak = home.makeKey('weak', 'rsa1024');
    for (const fingerprint of [expired, revoked, weak]) {
      await assert.rejects(openSigningKey(file(home.secretKeys(fingerprint)), {}), code);
    }
  });

  it('by the gpg program is the same as any other', async () => {
    const fingerprint = home.makeKey('agent', 'ed25519');
    const signer = gpgProgramSigner({ keyId: fingerprint, homedir: home.dir, signal: live() });
    const signature = await signer.sign(DATA);
    assert.deepEqual(home.verdicts(DATA, signature), ['GOODSIG']);
    const ring = await openKeyring([{ name: 'ring', bytes: home.publicKeys(fingerprint) }]);
    assert.equal((await ring.verify(DATA, signature, new Date()))[0]?.status, 'good');
  });

  it('by the gpg program fails with what gpg said', async () => {
    const signer = gpgProgramSigner({ keyId: 'nobody', homedir: home.dir, signal: live() });
    await assert.rejects(signer.sign(DATA), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'GPG_FAILED');
      assert.match(error.message, /No secret key/);
      return true;
    });
  });

  it('by the gpg program is not begun when the caller has given up', async () => {
    const signal = AbortSignal.abort(new Error('given up'));
    await assert.rejects(gpgProgramSigner({ keyId: 'agent', homedir: home.dir, signal }).sign(DATA), /given up/);
  });
});

describe('signing', () => {
  it('without a gpg program says what to do instead', async (test) => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nonexistent';
    test.after(() => {
      process.env['PATH'] = path;
    });
    const signer = gpgProgramSigner({ keyId: 'x', signal: live() });
    await assert.rejects(signer.sign(DATA), { name: 'CodedError', code: 'NO_GPG' });
  });

  it('with a file that holds no secret key is refused', async () => {
    const keys = 'test/fixtures/ostree/keys';
    for (const bytes of [
      readFileSync(`${keys}/gpg-0.pub.asc`),
      readFileSync(`${keys}/gpg-0.pub.gpg`),
      readFileSync(`${keys}/gpg-0.sec.asc`).subarray(0, 300),
      Buffer.from('nothing of the kind'),
      new Uint8Array(),
    ]) {
      await assert.rejects(openSigningKey(file(bytes), {}), code);
    }
  });
});
