import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { gpgHome } from './gpg.fixture.ts';
import { openKeyring } from './open.ts';

const FIXTURES = 'test/fixtures/ostree';
/** The keys of the vectors were made in November 2026, whatever the clock says here. */
const NOW = new Date('2027-01-01T00:00:00Z');
const FINGERPRINTS = [
  '831636F2EFD2C9A679AEEB1A8F3C3388DE8D8F0E',
  '69C109CEF397BB0E3894F700491C8AECAAB05C67',
  '80EA76C8E671DA11E849764E1FA97BBC6F76DEC9',
] as const;

const vector = (name: string): Buffer => readFileSync(join(FIXTURES, 'keys', name));
const source = (bytes: Uint8Array) => [{ name: 'ring', bytes }];
const fingerprintsOf = async (bytes: Uint8Array) => (await openKeyring(source(bytes))).keys.map((k) => k.fingerprint);

const MANIFEST = JSON.parse(readFileSync(join(FIXTURES, 'manifest.json'), 'utf8')) as {
  readonly signed: {
    readonly refs: Readonly<Record<string, string>>;
    readonly detached: Readonly<Record<string, Readonly<Record<string, readonly [string, readonly string[]]>>>>;
  };
};

describe('the commits of the vectors', () => {
  for (const [ref, expected] of [
    ['gpg-rsa', ['good']],
    ['gpg-ed25519', ['unknown-key']],
    ['gpg-two', ['good', 'unknown-key']],
    ['gpg-untrusted', ['unknown-key']],
    ['both', ['good']],
    ['forged', ['bad']],
  ] as const) {
    it(`with only key 0 trusted: ${ref} is ${expected.join(' and ')}`, async (test) => {
      const dir = scratch(test);
      assert.equal(spawnSync('tar', ['-xzf', join(FIXTURES, 'signed.tar.gz'), '-C', dir]).status, 0);
      const checksum = MANIFEST.signed.refs[ref] ?? '';
      const find = spawnSync('find', [dir, '-path', `*/objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.commit`]);
      const commit = readFileSync(find.stdout.toString().trim());
      const signatures = MANIFEST.signed.detached[ref]?.['ostree.gpgsigs']?.[1] ?? [];
      const ring = await openKeyring(source(vector('gpg-0.pub.gpg')));
      const all = Buffer.concat(signatures.map((hex) => Buffer.from(hex, 'hex')));
      const verdicts = await ring.verify(commit, all, NOW);
      assert.deepEqual(
        verdicts.map(({ status }) => status),
        expected,
      );
    });
  }
});

describe('a keyring', () => {
  it('reads binary and armored files, several keys in each', async () => {
    const binary = Buffer.concat([0, 1, 2].map((i) => vector(`gpg-${i}.pub.gpg`)));
    const armored = Buffer.concat([0, 1, 2].map((i) => vector(`gpg-${i}.pub.asc`)));
    assert.deepEqual(await fingerprintsOf(binary), FINGERPRINTS);
    assert.deepEqual(await fingerprintsOf(armored), FINGERPRINTS);
    assert.deepEqual(await fingerprintsOf(Buffer.from(armored.toString().replaceAll('\n', '\r\n'))), FINGERPRINTS);
    assert.deepEqual(await fingerprintsOf(Buffer.concat([Buffer.from('our keys:\n\n'), armored])), FINGERPRINTS);
  });

  it('describes its keys', async () => {
    const { keys, problems } = await openKeyring(source(vector('gpg-1.pub.gpg')));
    assert.deepEqual(problems, []);
    assert.deepEqual(keys, [
      {
        fingerprint: FINGERPRINTS[1],
        keyId: FINGERPRINTS[1].slice(-16),
        userIds: ['alpha key 1 <alpha1@example.com>'],
        createdAt: new Date('2026-11-21T02:58:58Z'),
        expiresAt: undefined,
        revoked: false,
        algorithm: 'eddsa',
        subkeys: [],
      },
    ]);
  });

  it('without any key judges everything to be by an unknown key', async () => {
    const [hex = ''] = MANIFEST.signed.detached['gpg-ed25519']?.['ostree.gpgsigs']?.[1] ?? [];
    const signature = Buffer.from(hex, 'hex');
    for (const sources of [[], source(new Uint8Array())]) {
      const ring = await openKeyring(sources);
      assert.deepEqual([ring.keys, ring.problems, ring.serialize().length], [[], [], 0]);
      const [verdict] = await ring.verify(Buffer.from('x'), signature, NOW);
      assert.deepEqual([verdict?.status, verdict?.keyId], ['unknown-key', FINGERPRINTS[1].slice(-16)]);
    }
  });

  it('writes itself as the packets that it read, each key once', async () => {
    const files = [0, 1].map((i) => ({ name: `${i}`, bytes: vector(`gpg-${i}.pub.asc`) }));
    const ring = await openKeyring([...files, ...files]);
    assert.deepEqual(Buffer.from(ring.serialize()), Buffer.concat([vector('gpg-0.pub.gpg'), vector('gpg-1.pub.gpg')]));
  });

  it('loses only the block that is damaged, and says so', async () => {
    const [first, second] = [vector('gpg-0.pub.asc').toString(), vector('gpg-1.pub.asc').toString()];
    for (const damaged of [
      first.replace('\n\n', '\n\nAAAA'),
      first.replace('\n\n', '\n\n!'),
      first.replace('\n\n', '\n'),
      first.slice(0, -40),
      first.replace('END PGP PUBLIC', 'END PGP PRIVATE'),
    ]) {
      const ring = await openKeyring(source(Buffer.from(`${damaged}\n${second}`)));
      assert.deepEqual(
        ring.keys.map((key) => key.fingerprint),
        [FINGERPRINTS[1]],
      );
      assert.equal(ring.problems.length, 1);
      assert.match(ring.problems[0] ?? '', /^ring: block "PGP PUBLIC KEY BLOCK" /);
    }
  });

  it('loses only the key that is cut off at its end, for its revocation may be missing', async () => {
    const both = Buffer.concat([vector('gpg-0.pub.gpg'), vector('gpg-1.pub.gpg')]);
    const ring = await openKeyring(source(both.subarray(0, -1)));
    assert.deepEqual(
      ring.keys.map((key) => key.fingerprint),
      [FINGERPRINTS[0]],
    );
    assert.equal(ring.problems.length, 1);
  });

  it('passes over packets of unknown kinds, silently where the format demands it', async () => {
    const key = vector('gpg-0.pub.gpg');
    const unknown = (tag: number) => Buffer.from([0xc0 | tag, 3, 1, 2, 3]);
    const critical = await openKeyring(source(Buffer.concat([key, unknown(39), vector('gpg-1.pub.gpg')])));
    assert.deepEqual([critical.keys.length, critical.problems], [2, ['ring: packet of unknown kind 39 passed over']]);
    const trust = Buffer.from([0xb0, 2, 0, 3]);
    const silent = await openKeyring(source(Buffer.concat([key, trust, unknown(40), vector('gpg-1.pub.gpg')])));
    assert.deepEqual([silent.keys.length, silent.problems], [2, []]);
  });

  it('takes no secret keys, and says so', async () => {
    const ring = await openKeyring(source(vector('gpg-0.sec.asc')));
    assert.deepEqual(ring.keys, []);
    assert.deepEqual(ring.problems, ['ring: secret key left out: a keyring holds public keys']);
  });

  it('says of a file that is no keyring that it is none', async () => {
    for (const text of [
      '<html>',
      '-----BEGIN PGP PUBLIC KEY BLOCK-----',
      '\x80',
      '-----BEGIN PGP SIGNATURE-----\n\n',
    ]) {
      const ring = await openKeyring(source(Buffer.from(text, 'latin1')));
      assert.deepEqual(ring.keys, []);
      assert.equal(ring.problems.length, 1, text);
    }
  });

  it('does not use a key with a revocation that it cannot read', async () => {
    const key = vector('gpg-0.pub.gpg');
    const old = Buffer.from([0x88, 19, 3, 5, 0x20, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 0, 0]);
    const ring = await openKeyring(source(Buffer.concat([key, old])));
    assert.deepEqual(ring.keys, []);
    assert.deepEqual(ring.problems, ['ring: key with a revocation that cannot be read left out']);
  });

  it('of more than 64 MiB is refused', async () => {
    const ring = await openKeyring(source(Buffer.alloc(64 * 2 ** 20 + 1, 0x99)));
    assert.deepEqual(ring.keys, []);
    assert.equal(ring.problems.length, 1);
  });
});

describe('a keyring and gpg', { skip: needs('gpg', 'gpgconf', 'gpgv') }, () => {
  const home = gpgHome({ after });
  const data = Buffer.from('data');

  it('exchange keys both ways: gpg imports what is written here, and its keybox is read', async () => {
    const fingerprint = home.makeKey('first', 'ed25519');
    const subkey = home.addSubkey(fingerprint, 'rsa2048', '2y');
    home.makeKey('second', 'nistp256');
    const exported = home.publicKeys();
    const ring = await openKeyring(source(exported));
    assert.deepEqual(Buffer.from(ring.serialize()), exported);
    const [first] = ring.keys;
    assert.deepEqual(
      first?.subkeys.map((part) => [part.fingerprint, part.algorithm, part.revoked, part.canSign]),
      [[subkey, 'rsa', false, true]],
    );
    const life = (first?.subkeys[0]?.expiresAt?.getTime() ?? 0) - (first?.subkeys[0]?.createdAt.getTime() ?? 0);
    assert.equal(Math.round(life / 86_400_000), 730);

    const keybox = await openKeyring(source(readFileSync(join(home.dir, 'pubring.kbx'))));
    assert.deepEqual(keybox.problems, []);
    assert.deepEqual(keybox.keys, ring.keys);

    const other = gpgHome({ after });
    other.gpg(['--batch', '--import'], { input: ring.serialize() });
    assert.deepEqual(other.publicKeys(), exported);
  });

  it('a keybox that is cut off gives the keys before the cut', async () => {
    const bytes = readFileSync(join(home.dir, 'pubring.kbx'));
    const ring = await openKeyring(source(bytes.subarray(0, -1)));
    assert.deepEqual(
      ring.keys.map((key) => key.userIds[0]),
      ['first'],
    );
    assert.equal(ring.problems.length, 1);
  });

  it('gpgv agrees on what a written keyring vouches for', async () => {
    const ring = await openKeyring(source(home.publicKeys('first')));
    const files = ['ring.gpg', 'd', 'd.sig'].map((name) => join(home.dir, name));
    for (const [signer, expected] of [
      ['first', 'good'],
      ['second', 'unknown-key'],
    ] as const) {
      const signature = home.sign(data, signer);
      [ring.serialize(), data, signature].forEach((bytes, i) => {
        writeFileSync(files[i] ?? '', bytes);
      });
      const ran = spawnSync('gpgv', [
        '--homedir',
        home.dir,
        '--keyring',
        files[0] ?? '',
        files[2] ?? '',
        files[1] ?? '',
      ]);
      assert.equal((await ring.verify(data, signature, new Date()))[0]?.status, expected);
      assert.equal(ran.status === 0, expected === 'good');
    }
  });

  it('a user id that was revoked is shown no more, and a key without another one is revoked', async () => {
    const fingerprint = home.makeKey('old name', 'ed25519');
    home.gpg(['--batch', '--quick-add-uid', fingerprint, 'new name']);
    home.gpg(['--batch', '--quick-revoke-uid', fingerprint, 'old name']);
    const signature = home.sign(data, fingerprint);
    const ring = await openKeyring(source(home.publicKeys(fingerprint)));
    assert.deepEqual(ring.keys[0]?.userIds, ['new name']);
    assert.equal((await ring.verify(data, signature, new Date()))[0]?.userId, 'new name');
  });
});
