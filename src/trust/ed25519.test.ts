import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { generateSecretKey, openPublicKey, openSecretKey, openSecretKeyPair } from './ed25519.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** RFC 8032, 7.1: seed, public key, message, signature. */
const VECTORS = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const;

/** spec/tako.md 2.4 */
const WEAK = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

describe('Ed25519', () => {
  for (const [seed, publicKey, message, signature] of VECTORS) {
    it(`makes and accepts the signature of RFC 8032 for the message "${message}"`, () => {
      const key = openSecretKey(bytes(seed));
      assert.equal(hex(key.publicKey.raw), publicKey);
      assert.equal(hex(key.seed), seed);
      assert.equal(hex(key.sign(bytes(message))), signature);
      assert.equal(openPublicKey(bytes(publicKey)).verify(bytes(message), bytes(signature)), true);
    });

    it(`refuses that signature under another key and for another message ("${message}")`, () => {
      const other = openPublicKey(bytes(VECTORS.find((vector) => vector[0] !== seed)?.[1] ?? ''));
      assert.equal(other.verify(bytes(message), bytes(signature)), false);
      const key = openPublicKey(bytes(publicKey));
      assert.equal(key.verify(bytes(`${message}00`), bytes(signature)), false);
    });
  }

  const [, publicKey, message, signature] = VECTORS[2];
  const key = openPublicKey(bytes(publicKey));

  it('refuses a signature in which any single bit was changed', () => {
    for (let bit = 0; bit < 512; bit++) {
      const changed = bytes(signature);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(key.verify(bytes(message), changed), false, `bit ${bit}`);
    }
  });

  it('refuses S + L in place of S: nobody may change a signature and have it hold', () => {
    const s = BigInt(`0x${hex(bytes(signature).subarray(32).reverse())}`);
    const forged = bytes(signature);
    bytes((s + ORDER).toString(16).padStart(64, '0'))
      .reverse()
      .copy(forged, 32);
    assert.notEqual(hex(forged), signature);
    assert.equal(key.verify(bytes(message), forged), false);
  });

  it('refuses a signature that is one byte too short or too long, or empty', () => {
    assert.equal(key.verify(bytes(message), bytes(signature).subarray(0, 63)), false);
    assert.equal(key.verify(bytes(message), bytes(`${signature}00`)), false);
    assert.equal(key.verify(bytes(message), new Uint8Array()), false);
  });

  it('verifies whatever it generated, and tells its keys apart', () => {
    const secret = generateSecretKey();
    const stranger = generateSecretKey();
    fc.assert(
      fc.property(fc.uint8Array(), (text) => {
        const made = secret.sign(text);
        assert.equal(made.length, 64);
        assert.equal(secret.publicKey.verify(text, made), true);
        assert.equal(stranger.publicKey.verify(text, made), false);
      }),
    );
  });

  it('always makes the same signature', () => {
    const secret = generateSecretKey();
    assert.deepEqual(secret.sign(Buffer.from('x')), secret.sign(Buffer.from('x')));
    assert.deepEqual(openSecretKey(secret.seed).sign(Buffer.from('x')), secret.sign(Buffer.from('x')));
  });
});

describe('a weak public key', () => {
  for (const weak of WEAK) {
    it(`${weak.slice(0, 8)}… is refused, whatever its top bit`, () => {
      const topped = bytes(weak);
      topped[31] = (topped[31] ?? 0) | 0x80;
      assert.throws(() => openPublicKey(bytes(weak)), { name: 'CodedError', code: 'WEAK_PUBLIC_KEY' });
      assert.throws(() => openPublicKey(topped), { name: 'CodedError', code: 'WEAK_PUBLIC_KEY' });
    });
  }

  it('is not seen in one that only resembles it', () => {
    for (const weak of WEAK) {
      const near = bytes(weak);
      near[0] = (near[0] ?? 0) ^ 0x08;
      assert.equal(openPublicKey(near).raw.length, 32);
    }
  });
});

describe('a key', () => {
  it('of another length than 32 bytes is refused', () => {
    for (const length of [0, 31, 33, 64]) {
      assert.throws(() => openPublicKey(new Uint8Array(length).fill(9)));
      assert.throws(() => openSecretKey(new Uint8Array(length).fill(9)));
    }
  });

  it('that is no point of the curve verifies nothing, and does not throw', () => {
    const signature = bytes(VECTORS[0][3]);
    for (let i = 0; i < 200; i++) {
      assert.equal(openPublicKey(randomBytes(32)).verify(Buffer.from('x'), signature), false);
    }
    assert.equal(openPublicKey(bytes('ff'.repeat(32))).verify(Buffer.from('x'), signature), false);
  });

  it('is its own copy of the bytes it was opened with', () => {
    const [seed, raw, text, made] = VECTORS[1];
    const lent = bytes(raw);
    const opened = openPublicKey(lent);
    const lentSeed = bytes(seed);
    const secret = openSecretKey(lentSeed);
    lent.fill(0); // the all-zero key: anybody can sign for it
    lentSeed.fill(0);
    assert.equal(hex(opened.raw), raw);
    assert.equal(opened.verify(bytes(text), bytes(made)), true);
    assert.equal(hex(secret.seed), seed);
    assert.equal(hex(secret.sign(bytes(text))), made);
  });
});

describe('a secret key in the form of libostree', () => {
  const pair = Buffer.from(readFileSync('test/fixtures/ostree/keys/ed25519-0.secret', 'latin1').trim(), 'base64');
  const refused = { name: 'CodedError', code: 'SECRET_KEY_MALFORMED' };

  it('is the seed and then the public key', () => {
    const text = readFileSync('test/fixtures/ostree/keys/ed25519-0.public', 'latin1').trim();
    assert.equal(Buffer.from(openSecretKeyPair(pair).publicKey.raw).toString('base64'), text);
  });

  it('of another length, or with the public key of another one, is refused', () => {
    for (const length of [0, 32, 63]) assert.throws(() => openSecretKeyPair(pair.subarray(0, length)), refused);
    assert.throws(() => openSecretKeyPair(Buffer.concat([pair, Buffer.alloc(1)])), refused);
    const foreign = Buffer.concat([pair.subarray(0, 32), generateSecretKey().publicKey.raw]);
    assert.throws(() => openSecretKeyPair(foreign), refused);
  });
});
