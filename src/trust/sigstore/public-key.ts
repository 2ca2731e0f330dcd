/** Public keys of cosign and of the containers tools: PEM of ECDSA, RSA or Ed25519. */
import { createHash, createPublicKey } from 'node:crypto';
import { CodedError } from '../../base/error.ts';
import { openSpkiKey } from '../spki.ts';

export interface SigstorePublicKey {
  /** `sha256:HEX` of the key as DER (SubjectPublicKeyInfo). */
  readonly keyId: string;
  /** `ec`, `rsa`, `ed25519`, `ed448`. */
  readonly type: string;
  /** ECDSA (DER) and RSA (PKCS#1) over SHA-256, pure EdDSA. */
  verify(payload: Uint8Array, signature: Uint8Array): boolean;
}

/** Some kilobytes at most: RSA of 16384 bits in PEM. */
const MAX_BYTES = 64 * 1024;

/**
 * @param what what the key is called in messages, the name of its file
 * @throws CodedError SIGSTORE_KEY; SPKI_KEY for what is no PEM of a public key or of a kind that is refused
 */
export function openSigstorePublicKey(pem: Uint8Array, what: string): SigstorePublicKey {
  const text = Buffer.from(pem).toString('latin1').trim();
  if (pem.length > MAX_BYTES || !text.startsWith('-----BEGIN PUBLIC KEY-----')) {
    throw new CodedError('SIGSTORE_KEY', `${what}: expected PEM of a "PUBLIC KEY", found something else`, {
      subject: what,
    });
  }
  const key = open(text, what);
  const der = createPublicKey(text).export({ format: 'der', type: 'spki' });
  return {
    keyId: `sha256:${createHash('sha256').update(der).digest('hex')}`,
    type: key.type,
    verify: (payload, signature) => key.verify(payload, signature),
  };
}

function open(text: string, what: string): ReturnType<typeof openSpkiKey> {
  try {
    return openSpkiKey(text);
  } catch (cause) {
    throw new CodedError('SIGSTORE_KEY', `${what}: not a public key that can be used`, { cause, subject: what });
  }
}
