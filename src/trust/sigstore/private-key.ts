/** Private keys that sign as cosign does: under a passphrase in cosign's own form, or plain PEM (PKCS#8, SEC 1). */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { decodeBase64 } from '../../base/decode.ts';
import { CodedError } from '../../base/error.ts';
import { quote } from '../../base/text.ts';
import { openSigstorePublicKey, type SigstorePublicKey } from './public-key.ts';

export interface SigstorePrivateKey {
  readonly publicKey: SigstorePublicKey;
  /** For others to verify with. */
  readonly publicPem: string;
  /** ECDSA (DER) or RSA (PKCS#1) over SHA-256, or pure EdDSA. */
  sign(payload: Uint8Array): Uint8Array;
}

/** Both are the same within; the first is what older versions of the tools write and read. */
export const ENCRYPTED_LABELS: readonly string[] = ['ENCRYPTED COSIGN PRIVATE KEY', 'ENCRYPTED SIGSTORE PRIVATE KEY'];
const PLAIN_LABELS: readonly string[] = ['PRIVATE KEY', 'EC PRIVATE KEY'];
const PEM = /^-----BEGIN ([A-Z0-9 ]{1,60})-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----$/;
const MAX_BYTES = 64 * 1024;

/**
 * @param passphrase bytes as they were typed, without the end of the line; not asked of a plain key
 * @throws CodedError SIGSTORE_KEY for what is no private key, SIGSTORE_PASSPHRASE for a wrong or missing passphrase
 */
export async function openSigstorePrivateKey(
  pem: Uint8Array,
  passphrase: Uint8Array | undefined,
  what: string,
): Promise<SigstorePrivateKey> {
  const text = pem.length > MAX_BYTES ? '' : Buffer.from(pem).toString('latin1').trim();
  const [, label, body = ''] = PEM.exec(text) ?? [];
  const content = decodeBase64(body.replace(/[\r\n]/g, ''));
  if (label === undefined || content === undefined) throw refusal(what, 'expected PEM of a private key');
  if (PLAIN_LABELS.includes(label)) return open(() => createPrivateKey(text), what);
  if (!ENCRYPTED_LABELS.includes(label)) {
    throw refusal(what, `PEM of a ${quote(label)} is not a private key that can be used`);
  }
  if (passphrase === undefined) {
    throw new CodedError('SIGSTORE_PASSPHRASE', `${what}: private key has a passphrase, and none was given`, {
      subject: what,
      hint: 'name a file with it, or set COSIGN_PASSWORD',
    });
  }
  const { openEnvelope } = await import('./envelope.ts'); // with what checks JSON, which other keys do not need
  const der = Buffer.from(await openEnvelope(content, passphrase, what));
  return open(() => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }), what);
}

function open(read: () => KeyObject, what: string): SigstorePrivateKey {
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    throw refusal(what, 'private key cannot be read', cause);
  }
  const publicPem = createPublicKey(key).export({ format: 'pem', type: 'spki' }).toString();
  return {
    publicKey: openSigstorePublicKey(Buffer.from(publicPem), what),
    publicPem,
    sign: (payload) => sign(null, payload, key),
  };
}

function refusal(what: string, text: string, cause?: unknown): CodedError {
  return new CodedError('SIGSTORE_KEY', `${what}: ${text}`, { cause, subject: what });
}
