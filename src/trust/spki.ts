/** Public keys as X.509 SubjectPublicKeyInfo, for the signatures that libostree calls "spki". */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { decodeBase64 } from '../base/decode.ts';
import { CodedError } from '../base/error.ts';
import { openPublicKey } from './ed25519.ts';

export interface SpkiKey {
  /** `ed25519`, `ed448`, `rsa`, `ec`. */
  readonly type: string;
  /** What OpenSSL verifies when no digest is named: pure EdDSA; RSA (PKCS#1) and ECDSA (DER) over SHA-256. */
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

const PEM = /^-----BEGIN ([A-Z0-9 ]+)-----\s([A-Za-z0-9+/=\s]+)-----END ([A-Z0-9 ]+)-----\s*$/;
const CURVES: ReadonlySet<string | undefined> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 16384;

/**
 * Open a public key: PEM (`BEGIN PUBLIC KEY`), base64 of DER, or DER.
 * @throws CodedError SPKI_KEY when it is something else or of a kind that is refused, WEAK_PUBLIC_KEY
 */
export function openSpkiKey(text: string | Uint8Array): SpkiKey {
  const der = toDer(text);
  const key = parse(der);
  const type = key.asymmetricKeyType ?? 'unknown';
  const refused = refuse(key, type);
  if (refused !== undefined) throw new CodedError('SPKI_KEY', `public key: ${refused} is not accepted`);
  // The raw key is the end of the DER; keys under which anybody can sign are refused there.
  if (type === 'ed25519') return { type, verify: openPublicKey(der.subarray(-32)).verify };
  return {
    type,
    verify(message, signature) {
      try {
        return verify(null, message, key, signature);
      } catch {
        return false; // OpenSSL throws at some malformed signatures instead of saying no
      }
    },
  };
}

function toDer(text: string | Uint8Array): Uint8Array {
  if (typeof text !== 'string' && text[0] === 0x30) return text; // a SEQUENCE; "0" begins no PEM
  const words = typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
  const [, begin, body = words, end] = PEM.exec(words.trim()) ?? [];
  if (begin !== end || (begin !== undefined && begin !== 'PUBLIC KEY')) {
    throw new CodedError('SPKI_KEY', `public key: expected PEM of a "PUBLIC KEY", found "${begin}"`);
  }
  const der = decodeBase64(body.replace(/\s+/g, ''));
  if (der === undefined)
    throw new CodedError('SPKI_KEY', 'public key: expected PEM, base64 or DER, found something else');
  return der;
}

function parse(der: Uint8Array): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
    if (key.export({ format: 'der', type: 'spki' }).equals(der)) return key;
  } catch (cause) {
    throw new CodedError('SPKI_KEY', 'public key: expected a SubjectPublicKeyInfo, found something else', { cause });
  }
  throw new CodedError('SPKI_KEY', 'public key: its DER is not canonical, or something follows it');
}

function refuse(key: KeyObject, type: string): string | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (type === 'ed25519' || type === 'ed448') return undefined;
  if (type === 'rsa') {
    return modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS
      ? `RSA key of ${modulusLength} bits`
      : undefined;
  }
  if (type === 'ec') return CURVES.has(namedCurve) ? undefined : `curve ${namedCurve}`;
  return `a key of type ${type}`;
}
