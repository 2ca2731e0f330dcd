import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../test/support/needs.ts';
import { scratch } from '../../test/support/scratch.ts';
import { openSpkiKey } from './spki.ts';

const DATA = Buffer.from('a commit');
const REFUSED = { name: 'CodedError', code: 'SPKI_KEY' };
const der = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });

const PAIRS: readonly (readonly [string, () => { readonly publicKey: KeyObject; readonly privateKey: KeyObject }])[] = [
  ['ed25519', () => generateKeyPairSync('ed25519')],
  ['ed448', () => generateKeyPairSync('ed448')],
  ['rsa', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['ec', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['ec', () => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
];

describe('a SubjectPublicKeyInfo key', () => {
  for (const [type, make] of PAIRS) {
    it(`of type ${type} verifies what its secret half signed, and nothing else`, () => {
      const { publicKey, privateKey } = make();
      const signature = sign(null, DATA, privateKey);
      const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
      for (const form of [pem, Buffer.from(pem), der(publicKey).toString('base64'), der(publicKey)]) {
        const key = openSpkiKey(form);
        assert.equal(key.type, type);
        assert.equal(key.verify(DATA, signature), true);
        assert.equal(key.verify(Buffer.from('A commit'), signature), false);
        assert.equal(key.verify(DATA, signature.subarray(1)), false);
        assert.equal(key.verify(DATA, new Uint8Array()), false);
      }
      assert.equal(openSpkiKey(der(make().publicKey)).verify(DATA, signature), false);
    });
  }

  it('signs RSA and ECDSA over SHA-256, as the openssl program does', { skip: needs('openssl') }, (test) => {
    const dir = scratch(test);
    writeFileSync(join(dir, 'data'), DATA);
    for (const [, make] of PAIRS.slice(2)) {
      const { publicKey, privateKey } = make();
      writeFileSync(join(dir, 'key'), privateKey.export({ format: 'pem', type: 'pkcs8' }));
      const made = spawnSync('openssl', ['dgst', '-sha256', '-sign', join(dir, 'key'), join(dir, 'data')]);
      assert.equal(openSpkiKey(der(publicKey)).verify(DATA, made.stdout), true);
    }
  });

  for (const [what, make] of [
    ['a short RSA key', () => der(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['a DSA key', () => der(generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).publicKey)],
    ['another curve', () => der(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['a key that cannot sign', () => der(generateKeyPairSync('x25519').publicKey)],
    ['a secret key', () => generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })],
    ['bytes after the key', () => Buffer.concat([der(generateKeyPairSync('ed25519').publicKey), Buffer.from([0])])],
    ['a key that is cut off', () => der(generateKeyPairSync('ed25519').publicKey).subarray(0, -1)],
    ['text', () => 'not a key'],
    ['nothing', () => ''],
  ] as const) {
    it(`is not ${what}`, () => {
      assert.throws(() => openSpkiKey(make()), REFUSED);
    });
  }

  it('is not looked for in blank lines for ever', () => {
    const began = performance.now();
    assert.throws(() => openSpkiKey(`-----BEGIN PUBLIC KEY-----${'\n'.repeat(150_000)}?`), REFUSED);
    assert.ok(performance.now() - began < 5000);
  });

  it('under which anybody can sign is refused', () => {
    const weak = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.alloc(32)]);
    assert.throws(() => openSpkiKey(weak), { code: 'WEAK_PUBLIC_KEY' });
  });
});
