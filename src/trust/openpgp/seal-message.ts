/** A detached signature made into a signed message. */
import { CodedError } from '../../base/error.ts';
import { loadLibrary } from './library.ts';
import { parseSignature } from './signature-file.ts';
import { joinSignedMessage, onlySignature } from './signed-message.ts';
import type { OpenPgpSigner } from './signing-key.ts';

/** See `signMessage`. */
export async function sealMessage(content: Uint8Array, signer: OpenPgpSigner): Promise<Uint8Array> {
  const packet = onlySignature(await signer.sign(content));
  const signature = packet === undefined ? undefined : await parseSignature(await loadLibrary(), packet);
  if (packet === undefined || signature === undefined || 'status' in signature || signature.version !== 4) {
    throw new CodedError('OPENPGP_KEY', `key ${signer.keyId}: its signature is not one of version 4`);
  }
  return joinSignedMessage(content, packet.raw, {
    hashAlgorithm: signature.hashAlgorithm ?? 0,
    publicKeyAlgorithm: signature.publicKeyAlgorithm ?? 0,
    keyId: Buffer.from(signature.issuerKeyID.toHex(), 'hex'),
  });
}
