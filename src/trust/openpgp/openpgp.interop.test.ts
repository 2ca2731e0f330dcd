/**
 * Verdicts on keys and signatures that gpg made, each beside gpg's own.
 *
 * Where ours is stricter the test says so with both words: short RSA keys, DSA, curves other than NIST's and 25519, SHA-1
 * and RIPEMD-160, signatures over text,
 * from the future. Of several reasons against a signature gpg tells the least first, we the gravest.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { type GpgHome, gpgHome } from './gpg.fixture.ts';
import { openKeyring } from './open.ts';
import type { OpenPgpVerdict } from './verdict.ts';

const DATA = Buffer.from('the exact bytes of a commit\n\0\r\n');
const PAST = '20200101T000000';
const LATER = '20200601T000000';
const skip = needs('gpg', 'gpgconf');

/** Ours and gpg's, over everything that is in gpg's own ring. */
async function both(
  home: GpgHome,
  signature: Uint8Array,
  data: Uint8Array = DATA,
): Promise<{
  readonly ours: readonly OpenPgpVerdict[];
  readonly words: readonly string[];
  readonly gpg: readonly string[];
}> {
  const ring = await openKeyring([{ name: 'ring', bytes: home.publicKeys() }]);
  assert.deepEqual(ring.problems, []);
  const ours = await ring.verify(data, signature, new Date());
  return { ours, words: ours.map(({ status }) => status), gpg: home.verdicts(data, signature) };
}

describe('a signature by gpg', { skip }, () => {
  const home = gpgHome({ after });

  for (const [algorithm, name] of [
    ['rsa2048', 'rsa'],
    ['rsa3072', 'rsa'],
    ['rsa4096', 'rsa'],
    ['ed25519', 'eddsa'],
    ['nistp256', 'ecdsa'],
    ['nistp521', 'ecdsa'],
  ] as const) {
    it(`with a key of type ${algorithm} is good over its bytes and bad over others`, async () => {
      const fingerprint = home.makeKey(`${algorithm} <${algorithm}@example.com>`, algorithm);
      const signature = home.sign(DATA, fingerprint);
      const { ours, words, gpg } = await both(home, signature);
      assert.deepEqual([words, gpg], [['good'], ['GOODSIG']]);
      assert.equal(ours[0]?.fingerprint, fingerprint);
      assert.equal(ours[0]?.keyId, fingerprint.slice(-16));
      assert.equal(ours[0]?.userId, `${algorithm} <${algorithm}@example.com>`);
      assert.equal(ours[0]?.algorithm, name);
      assert.equal(ours[0]?.reason, undefined);
      assert.ok(Math.abs((ours[0]?.signedAt?.getTime() ?? 0) - Date.now()) < 600_000);
      const other = await both(home, signature, Buffer.concat([DATA, Buffer.from('x')]));
      assert.deepEqual([other.words, other.gpg], [['bad'], ['BADSIG']]);
    });
  }

  for (const [algorithm, reason] of [
    ['rsa1024', 'RSA key of 1024 bits'],
    ['dsa2048', 'DSA'],
    ['secp256k1', 'curve secp256k1'],
    ['brainpoolP256r1', 'curve brainpoolP256r1'],
  ] as const) {
    it(`with a key of type ${algorithm} is unusable by name, where gpg takes it`, async () => {
      const fingerprint = home.makeKey(`${algorithm} <${algorithm}@example.com>`, algorithm);
      const { ours, words, gpg } = await both(home, home.sign(DATA, fingerprint));
      assert.deepEqual([words, gpg], [['unusable'], ['GOODSIG']]);
      assert.equal(ours[0]?.reason, reason);
      assert.equal(ours[0]?.fingerprint, fingerprint);
    });
  }

  for (const [digest, reason, hash, theirs] of [
    ['SHA1', 'SHA-1 digest', 'sha1', 'GOODSIG'],
    ['RIPEMD160', 'RIPEMD-160 digest', 'ripemd160', 'GOODSIG'],
  ] as const) {
    it(`with the digest ${digest} is unusable by name`, async () => {
      const { ours, words, gpg } = await both(
        home,
        home.sign(DATA, 'rsa2048@example.com', ['--digest-algo', digest, '--allow-weak-digest-algos']),
      );
      assert.deepEqual([words, gpg], [['unusable'], [theirs]]);
      assert.equal(ours[0]?.reason, reason);
      assert.equal(ours[0]?.hash, hash);
    });
  }

  for (const digest of ['SHA224', 'SHA256', 'SHA384', 'SHA512'] as const) {
    it(`with the digest ${digest} is good`, async () => {
      const signature = home.sign(DATA, 'rsa2048@example.com', ['--digest-algo', digest]);
      const { ours, words, gpg } = await both(home, signature);
      assert.deepEqual([words, gpg], [['good'], ['GOODSIG']]);
      assert.equal(ours[0]?.hash, digest.toLowerCase());
    });
  }

  it('in ASCII armor is as good, and as bad when its armor is damaged', async () => {
    const armored = home.sign(DATA, 'ed25519@example.com', ['--armor']);
    const fine = await both(home, armored);
    assert.deepEqual([fine.words, fine.gpg], [['good'], ['GOODSIG']]);
    const at = armored.indexOf('\n\n') + 8;
    armored[at] = armored[at] === 0x41 ? 0x42 : 0x41;
    assert.deepEqual((await both(home, armored)).words, ['bad']);
  });

  it('over text is unusable, because it leaves the ends of lines open', async () => {
    const { ours, words, gpg } = await both(home, home.sign(DATA, 'ed25519@example.com', ['--textmode']));
    assert.deepEqual([words, gpg], [['unusable'], ['GOODSIG']]);
    assert.match(ours[0]?.reason ?? '', /over text/);
  });

  it('beside another in one blob is judged by itself', async () => {
    const signatures = [home.sign(DATA, 'ed25519@example.com'), home.sign(Buffer.from('other'), 'rsa2048@example.com')];
    const { words, gpg } = await both(home, Buffer.concat(signatures));
    assert.deepEqual(
      [words, gpg],
      [
        ['good', 'bad'],
        ['GOODSIG', 'BADSIG'],
      ],
    );
  });

  it('is not lost when what follows it is cut off', async () => {
    const [first, second] = [home.sign(DATA, 'ed25519@example.com'), home.sign(DATA, 'rsa2048@example.com')];
    for (const length of [1, 2, 40, second.length - 1]) {
      const { words } = await both(home, Buffer.concat([first, second.subarray(0, length)]));
      assert.deepEqual(words, ['good', 'bad'], `${length} bytes`);
    }
  });

  it('is bad when it is itself cut off, at any byte', async () => {
    const ring = await openKeyring([{ name: 'ring', bytes: home.publicKeys('ed25519@example.com') }]);
    const signature = home.sign(DATA, 'ed25519@example.com');
    for (let length = 0; length < signature.length; length++) {
      const verdicts = await ring.verify(DATA, signature.subarray(0, length), new Date());
      assert.deepEqual(
        verdicts.map(({ status }) => status),
        ['bad'],
        `${length} bytes`,
      );
    }
  });

  it('by somebody else is by an unknown key', async () => {
    const stranger = gpgHome({ after });
    stranger.makeKey('stranger', 'ed25519');
    const { ours, words, gpg } = await both(home, stranger.sign(DATA, 'stranger'));
    assert.deepEqual([words, gpg], [['unknown-key'], ['ERRSIG']]);
    assert.equal(ours[0]?.fingerprint, undefined);
    assert.match(ours[0]?.keyId ?? '', /^[0-9A-F]{16}$/);
  });

  it('that has expired is refused as such', async () => {
    const fingerprint = home.makeKey('lasting', 'ed25519', 'never', PAST);
    const signature = home.sign(DATA, fingerprint, ['--default-sig-expire', '1d'], LATER);
    const { ours, words, gpg } = await both(home, signature);
    assert.deepEqual([words, gpg], [['expired-signature'], ['EXPSIG']]);
    assert.deepEqual(ours[0]?.expiresAt, new Date('2020-06-02T00:00:00Z'));
    assert.deepEqual(ours[0]?.signedAt, new Date('2020-06-01T00:00:00Z'));
    const ring = await openKeyring([{ name: 'ring', bytes: home.publicKeys(fingerprint) }]);
    const [inTime] = await ring.verify(DATA, signature, new Date('2020-06-01T12:00:00Z'));
    assert.equal(inTime?.status, 'good');
  });

  it('from the future is unusable beyond an hour, where gpg takes it', async () => {
    const ring = await openKeyring([{ name: 'ring', bytes: home.publicKeys('lasting') }]);
    const signature = home.sign(DATA, 'lasting', [], LATER);
    const verdict = async (now: string) => (await ring.verify(DATA, signature, new Date(now)))[0];
    assert.equal((await verdict('2020-05-31T23:00:00Z'))?.status, 'good');
    const [status, reason] = Object.values((await verdict('2020-05-31T22:59:59Z')) ?? {}).slice(-2);
    assert.deepEqual([status, reason], ['unusable', 'signature comes from the future: check the clock']);
  });

  it('made before its key expired is refused once the key has expired', async () => {
    const fingerprint = home.makeKey('expiring', 'rsa2048', '1y', PAST);
    const signature = home.sign(DATA, fingerprint, [], LATER);
    const { ours, words, gpg } = await both(home, signature);
    assert.deepEqual([words, gpg], [['expired-key'], ['EXPKEYSIG']]);
    assert.deepEqual(ours[0]?.keyExpiresAt, new Date('2020-12-31T00:00:00Z'));
  });

  it('counts again when the life of its key was prolonged', async () => {
    const signature = home.sign(DATA, 'expiring', [], LATER);
    home.gpg(['--batch', '--quick-set-expire', home.makeKey('prolonged', 'ed25519', '1y', PAST), '0']);
    const early = home.sign(DATA, 'prolonged', [], LATER);
    assert.deepEqual((await both(home, early)).words, ['good']);
    assert.deepEqual((await both(home, early)).gpg, ['GOODSIG']);
    assert.deepEqual((await both(home, signature)).words, ['expired-key']);
    // Cleaned of everything but the newest self-signatures, as key servers deliver it: they are newer than what was signed.
    const minimal = home.gpg(['--batch', '--export-options', 'export-minimal', '--export', 'prolonged']);
    const ring = await openKeyring([{ name: 'minimal', bytes: minimal }]);
    assert.equal((await ring.verify(DATA, early, new Date()))[0]?.status, 'good');
  });

  it('by a revoked key is refused as such, also when it was made before', async () => {
    const fingerprint = home.makeKey('revoked', 'ed25519');
    const signature = home.sign(DATA, fingerprint);
    assert.deepEqual((await both(home, signature)).words, ['good']);
    const before = home.publicKeys(fingerprint);
    home.revoke(fingerprint);
    const { words, gpg } = await both(home, signature);
    assert.deepEqual([words, gpg], [['revoked-key'], ['REVKEYSIG']]);
    for (const sources of [
      [before, home.publicKeys(fingerprint)],
      [home.publicKeys(fingerprint), before],
    ]) {
      const ring = await openKeyring(sources.map((bytes, i) => ({ name: `copy ${i}`, bytes })));
      assert.equal(ring.keys.length, 1);
      assert.equal(ring.keys[0]?.revoked, true);
      assert.equal((await ring.verify(DATA, signature, new Date()))[0]?.status, 'revoked-key');
    }
  });

  it('by a key that was merely superseded is refused as well', async () => {
    const fingerprint = home.makeKey('superseded', 'ed25519');
    const signature = home.sign(DATA, fingerprint);
    home.edit(fingerprint, ['revkey', 'y', '2', '', 'y', 'save']);
    const { words, gpg } = await both(home, signature);
    assert.deepEqual([words, gpg], [['revoked-key'], ['REVKEYSIG']]);
  });
});

describe('a signature by a subkey', { skip }, () => {
  const home = gpgHome({ after });

  it('is good and names both keys', async () => {
    const fingerprint = home.makeKey('with subkey', 'ed25519');
    const subkey = home.addSubkey(fingerprint, 'rsa2048');
    const { ours, words, gpg } = await both(home, home.sign(DATA, `${subkey}!`));
    assert.deepEqual([words, gpg], [['good'], ['GOODSIG']]);
    assert.equal(ours[0]?.fingerprint, fingerprint);
    assert.equal(ours[0]?.keyId, subkey.slice(-16));
  });

  it('is good when the primary key may only certify', async () => {
    home.gpg(['--batch', '--quick-generate-key', 'certifier', 'ed25519', 'cert', 'never']);
    const [, fingerprint = ''] =
      /^fpr:+([0-9A-F]{40}):$/m.exec(home.gpg(['--with-colons', '--list-keys', '=certifier']).toString()) ?? [];
    const subkey = home.addSubkey(fingerprint, 'ed25519');
    const { words, gpg } = await both(home, home.sign(DATA, `${subkey}!`));
    assert.deepEqual([words, gpg], [['good'], ['GOODSIG']]);
  });

  it('that has expired is refused, also when it was made before', async () => {
    const fingerprint = home.makeKey('with expired subkey', 'ed25519', 'never', PAST);
    const subkey = home.addSubkey(fingerprint, 'ed25519', '1y', PAST);
    const { ours, words, gpg } = await both(home, home.sign(DATA, `${subkey}!`, [], LATER));
    assert.deepEqual([words, gpg], [['expired-key'], ['EXPKEYSIG']]);
    assert.equal(ours[0]?.reason, 'signing subkey has expired');
  });

  it('of an expired key is refused though the subkey has not expired', async () => {
    const fingerprint = home.makeKey('expired with subkey', 'ed25519', '1y', PAST);
    const subkey = home.addSubkey(fingerprint, 'ed25519', 'never', PAST);
    const { ours, words, gpg } = await both(home, home.sign(DATA, `${subkey}!`, [], LATER));
    assert.deepEqual([words, gpg], [['expired-key'], ['EXPKEYSIG']]);
    assert.equal(ours[0]?.reason, 'key has expired');
  });

  it('that was revoked is refused, while the primary key stays good', async () => {
    const fingerprint = home.makeKey('with revoked subkey', 'ed25519');
    const subkey = home.addSubkey(fingerprint, 'ed25519');
    const signature = home.sign(DATA, `${subkey}!`);
    home.edit(fingerprint, ['key 1', 'revkey', 'y', '0', '', 'y', 'save']);
    const { ours, words, gpg } = await both(home, signature);
    assert.deepEqual([words, gpg], [['revoked-key'], ['REVKEYSIG']]);
    assert.equal(ours[0]?.reason, 'signing subkey is revoked');
    assert.deepEqual((await both(home, home.sign(DATA, `${fingerprint}!`))).words, ['good']);
  });

  it('of a revoked key is refused', async () => {
    const fingerprint = home.makeKey('revoked with subkey', 'ed25519');
    const signature = home.sign(DATA, `${home.addSubkey(fingerprint, 'ed25519')}!`);
    home.revoke(fingerprint);
    const { words, gpg } = await both(home, signature);
    assert.deepEqual([words, gpg], [['revoked-key'], ['REVKEYSIG']]);
  });
});
