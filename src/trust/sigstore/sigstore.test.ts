import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { mutate, seededRandom } from '../../../test/support/mutate.ts';
import { CodedError } from '../../base/error.ts';
import { openEnvelope, sealEnvelope } from './envelope.ts';
import { generateSigstoreKey } from './generate.ts';
import { openSigstorePrivateKey } from './private-key.ts';
import { openSigstorePublicKey } from './public-key.ts';

const TEXT = Buffer.from('signed');
const SECRET = Buffer.from('open sesame');
const pem = (text: string): Buffer => Buffer.from(text);

describe('a private key of cosign', () => {
  it('that was generated opens with its passphrase alone, and signs for its public half', async () => {
    const pair = await generateSigstoreKey(SECRET);
    assert.match(pair.privatePem, /^-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n/);
    const key = await openSigstorePrivateKey(pem(pair.privatePem), SECRET, 'key');
    const publicKey = openSigstorePublicKey(pem(pair.publicPem), 'pub');
    assert.equal(key.publicPem, pair.publicPem);
    assert.equal(publicKey.type, 'ec');
    assert.equal(publicKey.verify(TEXT, key.sign(TEXT)), true);
    assert.equal(publicKey.verify(Buffer.from('other'), key.sign(TEXT)), false);
    for (const wrong of [Buffer.from('open barley'), Buffer.alloc(0), undefined]) {
      await assert.rejects(openSigstorePrivateKey(pem(pair.privatePem), wrong, 'key'), { code: 'SIGSTORE_PASSPHRASE' });
    }
    const renamed = pair.privatePem.replaceAll('COSIGN', 'SIGSTORE');
    assert.equal((await openSigstorePrivateKey(pem(renamed), SECRET, 'key')).publicPem, pair.publicPem);
  });

  for (const [what, make] of [
    [
      'SEC 1',
      () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'sec1' }),
    ],
    [
      'PKCS#8',
      () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
    ],
    ['Ed25519', () => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })],
    [
      'RSA',
      () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
    ],
  ] as const) {
    it(`in plain PEM of ${what} signs`, async () => {
      const key = await openSigstorePrivateKey(pem(make().toString()), undefined, 'key');
      assert.equal(openSigstorePublicKey(pem(key.publicPem), 'pub').verify(TEXT, key.sign(TEXT)), true);
    });
  }

  it('is no key when it is something else', async () => {
    const weak = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
    const label = (name: string, body: string): string => `-----BEGIN ${name}-----\n${body}\n-----END ${name}-----\n`;
    for (const text of [
      '',
      'a passphrase',
      label('PRIVATE KEY', 'AAAA'),
      label('OPENSSH PRIVATE KEY', 'AAAA'),
      label('ENCRYPTED COSIGN PRIVATE KEY', 'AAAA'),
      label('ENCRYPTED COSIGN PRIVATE KEY', Buffer.from('{"kdf":{}}').toString('base64')),
      weak.export({ format: 'pem', type: 'pkcs8' }).toString(),
      (await generateSigstoreKey(SECRET)).publicPem,
    ]) {
      await assert.rejects(openSigstorePrivateKey(pem(text), SECRET, 'key'), { code: 'SIGSTORE_KEY' }, text);
    }
  });
});

describe('the envelope around a secret', () => {
  it('gives back what went in', async () => {
    assert.deepEqual(Buffer.from(await openEnvelope(await sealEnvelope(TEXT, SECRET), SECRET, 'key')), TEXT);
  });

  it('that would cost too much memory or time is refused before anything is computed', async () => {
    const sealed = JSON.parse(Buffer.from(await sealEnvelope(TEXT, SECRET)).toString());
    for (const params of [
      { N: 2 ** 24, r: 8, p: 1 },
      { N: 2 ** 15, r: 2 ** 20, p: 1 },
      { N: 2 ** 15, r: 8, p: 2 ** 20 },
      { N: 32769, r: 8, p: 1 },
      { N: 1, r: 8, p: 1 },
      { N: 0, r: 8, p: 1 },
    ]) {
      const costly = Buffer.from(JSON.stringify({ ...sealed, kdf: { ...sealed.kdf, params } }));
      await assert.rejects(openEnvelope(costly, SECRET, 'key'), { code: 'SIGSTORE_KEY' }, JSON.stringify(params));
    }
  });

  it('damaged in any way gives its content or an error of ours', async () => {
    const sealed = Buffer.from(await sealEnvelope(TEXT, SECRET));
    const random = seededRandom(7);
    for (let i = 0; i < 40; i++) {
      const opened = await openEnvelope(mutate(sealed, random), SECRET, 'key').catch((error: unknown) => error);
      if (!(opened instanceof CodedError)) assert.deepEqual(Buffer.from(opened as Uint8Array), TEXT);
    }
  });
});

describe('a public key of cosign', () => {
  it('is known by the digest of its DER', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const text = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const der = createPublicKey(text).export({ format: 'der', type: 'spki' });
    const { keyId } = openSigstorePublicKey(pem(text), 'pub');
    assert.equal(keyId, `sha256:${createHash('sha256').update(der).digest('hex')}`);
  });

  it('is no key when it is something else, or of a kind that is refused', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    for (const text of [
      '',
      'x'.repeat(100_000),
      publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      publicKey.export({ format: 'pem', type: 'pkcs1' }).toString(),
      privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    ]) {
      assert.throws(() => openSigstorePublicKey(pem(text), 'pub'), { code: 'SIGSTORE_KEY' });
    }
  });
});
