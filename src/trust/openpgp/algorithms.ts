/** Names of algorithms, and which of them are refused. */
import type { AlgorithmInfo } from 'openpgp';

/** By the numbers of RFC 9580 section 9.1; only those that sign. */
const PUBLIC_KEY_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'rsa'],
  [3, 'rsa'],
  [17, 'dsa'],
  [19, 'ecdsa'],
  [22, 'eddsa'],
  [27, 'ed25519'],
  [28, 'ed448'],
]);

/** Section 9.5. */
const DIGEST_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'md5'],
  [2, 'sha1'],
  [3, 'ripemd160'],
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
  [11, 'sha224'],
  [12, 'sha3-256'],
  [14, 'sha3-512'],
]);

/** Collisions can be made: what was signed need not be what is shown. */
const BROKEN_DIGESTS: ReadonlyMap<number, string> = new Map([
  [1, 'MD5'],
  [2, 'SHA-1'],
  [3, 'RIPEMD-160'],
]);

/** Of ECDSA. For Brainpool curves the library needs a package that it does not bring; secp256k1 it refuses itself. */
const CURVES: ReadonlySet<string | undefined> = new Set(['nistP256', 'nistP384', 'nistP521']);

/** A generator may hit a modulus whose top bit is zero. */
const MIN_RSA_BITS = 2047;
/** OpenSSL verifies no longer ones, and without it a single check would take minutes. */
const MAX_RSA_BITS = 16384;

export function publicKeyName(id: number): string {
  return PUBLIC_KEY_NAMES.get(id) ?? `algorithm ${id}`;
}

export function digestName(id: number): string {
  return DIGEST_NAMES.get(id) ?? `digest ${id}`;
}

/** Why a signature with these algorithms cannot be used, if so; the key is not looked at. */
export function refuseAlgorithms(publicKey: number, digest: number): string | undefined {
  if (publicKey === 17) return 'DSA';
  if (!PUBLIC_KEY_NAMES.has(publicKey)) return `public-key algorithm ${publicKey}`;
  const broken = BROKEN_DIGESTS.get(digest);
  if (broken !== undefined) return `${broken} digest`;
  if (!DIGEST_NAMES.has(digest)) return `digest algorithm ${digest}`;
  return isCheckable(publicKey, digest) ? undefined : `${digestName(digest)} digest with ${publicKeyName(publicKey)}`;
}

/** The library computes no digest shorter than SHA-256 under EdDSA, and none that it does not know. */
export function isCheckable(publicKey: number, digest: number): boolean {
  const edwards = publicKey === 22 || publicKey === 27 || publicKey === 28;
  return DIGEST_NAMES.has(digest) && !(edwards && (BROKEN_DIGESTS.has(digest) || digest === 11));
}

/** Why nothing can be believed that this key signed, if so. */
export function refuseKey({ algorithm, bits, curve }: AlgorithmInfo): string | undefined {
  switch (algorithm) {
    case 'rsaEncryptSign':
    case 'rsaSign':
      return bits === undefined || bits < MIN_RSA_BITS || bits > MAX_RSA_BITS ? `RSA key of ${bits} bits` : undefined;
    case 'ecdsa':
      return CURVES.has(curve) ? undefined : `curve ${curve}`;
    case 'eddsaLegacy':
    case 'ed25519':
    case 'ed448':
      return undefined;
    case 'dsa':
      return 'DSA';
    default:
      return `${algorithm} key`;
  }
}
