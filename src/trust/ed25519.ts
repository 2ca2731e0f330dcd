/**
 * Ed25519 (RFC 8032, pure): deterministic signatures of 64 bytes by keys of 32 bytes.
 *
 * `node:crypto` refuses signatures with S >= L, but accepts forgeries under keys of small order, which is why such
 * keys are refused here by name before anything is verified with them.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { CodedError } from '../base/error.ts';

export const PUBLIC_KEY_BYTES = 32;
export const SEED_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** DER around a raw key: RFC 8410, SubjectPublicKeyInfo and PrivateKeyInfo with the algorithm 1.3.101.112. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Points of small order (and their non-canonical spellings), sign bit cleared: everybody can sign for them. */
const WEAK_KEYS = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]);

export interface Ed25519PublicKey {
  /** The 32 raw bytes. */
  readonly raw: Uint8Array;
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

export interface Ed25519SecretKey {
  readonly publicKey: Ed25519PublicKey;
  /** The 32 bytes that everything else is derived from. */
  readonly seed: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** @throws CodedError WEAK_PUBLIC_KEY when anybody could sign for it */
export function openPublicKey(raw: Uint8Array): Ed25519PublicKey {
  if (raw.length !== PUBLIC_KEY_BYTES) throw new Error(`unreachable: a public key of ${raw.length} bytes`);
  const canonical = Buffer.from(raw);
  canonical[31] = (canonical[31] ?? 0) & 0x7f;
  if (WEAK_KEYS.has(canonical.toString('hex'))) {
    throw new CodedError('WEAK_PUBLIC_KEY', 'public key is weak: signatures under it can be forged by anybody', {
      hint: 'it was not made by a key generator; make a new pair',
    });
  }
  const own = Uint8Array.from(raw); // the caller may change what was just judged
  let key: KeyObject | undefined;
  return {
    raw: own,
    verify(message, signature) {
      if (signature.length !== SIGNATURE_BYTES) return false;
      key ??= createPublicKey({ key: Buffer.concat([SPKI_PREFIX, own]), format: 'der', type: 'spki' });
      return verify(null, message, key, signature);
    },
  };
}

export function openSecretKey(seed: Uint8Array): Ed25519SecretKey {
  if (seed.length !== SEED_BYTES) throw new Error(`unreachable: a seed of ${seed.length} bytes`);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    seed: Uint8Array.from(seed),
    publicKey: openPublicKey(spki.subarray(SPKI_PREFIX.length)),
    sign: (message) => sign(null, message, key),
  };
}

/**
 * The form in which libostree keeps secret keys: 64 bytes, the seed and then the public key.
 * @throws CodedError SECRET_KEY_MALFORMED when it has another length or the halves do not belong together
 */
export function openSecretKeyPair(pair: Uint8Array): Ed25519SecretKey {
  if (pair.length !== SEED_BYTES + PUBLIC_KEY_BYTES) {
    throw new CodedError('SECRET_KEY_MALFORMED', `secret key: expected 64 bytes, found ${pair.length}`);
  }
  const key = openSecretKey(pair.subarray(0, SEED_BYTES));
  if (Buffer.compare(key.publicKey.raw, pair.subarray(SEED_BYTES)) === 0) return key;
  throw new CodedError('SECRET_KEY_MALFORMED', 'secret key: its second half is not the public key of the first');
}

export function generateSecretKey(): Ed25519SecretKey {
  return openSecretKey(randomBytes(SEED_BYTES));
}
