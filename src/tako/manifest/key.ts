/**
 * Key texts.
 *
 * Public: base64 of the 32 raw Ed25519 bytes, 44 characters.
 * Secret: `SECRET+` and base64 of seed, public key and public key again (96 bytes), 135 characters together.
 */
import { decodeBase64, encodeBase64 } from '../../base/decode.ts';
import {
  type Ed25519PublicKey,
  type Ed25519SecretKey,
  generateSecretKey,
  openPublicKey,
  openSecretKey,
  PUBLIC_KEY_BYTES,
  SEED_BYTES,
} from '../../trust/index.ts';
import { TakoError } from '../error.ts';

export type PublicKey = Ed25519PublicKey;
export type SecretKey = Ed25519SecretKey;

const SECRET_PREFIX = 'SECRET+';
/** Length of a secret key's text; of a key file only so many bytes count. */
export const SECRET_KEY_CHARACTERS = 135;

/** @throws TakoError INVALID_PUBLIC_KEY_DATA, INVALID_CONFIG (length); CodedError WEAK_PUBLIC_KEY */
export function parsePublicKey(text: string): PublicKey {
  const raw = decodeBase64(text);
  if (raw === undefined) {
    throw new TakoError('INVALID_PUBLIC_KEY_DATA', 'public key: expected base64 (44 characters ending in "=")');
  }
  if (raw.length !== PUBLIC_KEY_BYTES) {
    throw new TakoError('INVALID_CONFIG', `public key: expected ${PUBLIC_KEY_BYTES} bytes, found ${raw.length}`);
  }
  return openPublicKey(raw);
}

export function formatPublicKey(key: PublicKey): string {
  return encodeBase64(key.raw);
}

/**
 * Parse a secret key and check its copies of the public key against the one that the seed gives: signing with a
 * public key that does not belong to the seed can give the secret away.
 * @throws TakoError INVALID_SECRET_KEY_PREFIX, INVALID_SECRET_KEY_DATA; neither holds any part of the key
 */
export function parseSecretKey(text: string): SecretKey {
  if (!text.startsWith(SECRET_PREFIX)) {
    throw new TakoError('INVALID_SECRET_KEY_PREFIX', `secret key: expected it to begin with "${SECRET_PREFIX}"`, {
      hint: 'a secret key is the line that "tako gen-key" prints first; keys made before August 2018 are not supported',
    });
  }
  const data = decodeBase64(text.slice(SECRET_PREFIX.length));
  const length = SEED_BYTES + 2 * PUBLIC_KEY_BYTES;
  if (data?.length !== length) {
    throw new TakoError('INVALID_SECRET_KEY_DATA', `secret key: expected base64 of ${length} bytes after the prefix`);
  }
  const key = openSecretKey(data.subarray(0, SEED_BYTES));
  const copies = [
    data.subarray(SEED_BYTES, SEED_BYTES + PUBLIC_KEY_BYTES),
    data.subarray(SEED_BYTES + PUBLIC_KEY_BYTES),
  ];
  if (!copies.every((copy) => Buffer.compare(copy, key.publicKey.raw) === 0)) {
    throw new TakoError('INVALID_SECRET_KEY_DATA', 'secret key: its public half does not belong to its seed', {
      hint: 'the key is damaged; take it from a backup',
    });
  }
  return key;
}

export function formatSecretKey(key: SecretKey): string {
  const { seed, publicKey } = key;
  return SECRET_PREFIX + encodeBase64(Buffer.concat([seed, publicKey.raw, publicKey.raw]));
}

export { generateSecretKey };
