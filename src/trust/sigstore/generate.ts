/** New pairs of keys, in the files that cosign, skopeo and podman read. */
import { generateKeyPairSync } from 'node:crypto';
import { encodeBase64 } from '../../base/decode.ts';
import { ENCRYPTED_LABELS } from './private-key.ts';

export interface GeneratedSigstoreKey {
  /** PEM, under the passphrase. */
  readonly privatePem: string;
  readonly publicPem: string;
}

/** ECDSA on P-256, the only kind that all of those tools make. An empty passphrase is one, too. */
export async function generateSigstoreKey(passphrase: Uint8Array): Promise<GeneratedSigstoreKey> {
  const { sealEnvelope } = await import('./envelope.ts');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sealed = await sealEnvelope(privateKey.export({ format: 'der', type: 'pkcs8' }), passphrase);
  return {
    privatePem: pem(ENCRYPTED_LABELS[0] ?? '', sealed),
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
}

function pem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
