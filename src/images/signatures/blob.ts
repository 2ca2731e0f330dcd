/**
 * Signatures as they are kept in files: in `dir:` and in lookaside storage. Simple ones as they are; others behind a
 * NUL, the name of their format and a newline. Source: the signature package of the containers tools.
 */
import { decodeBase64 } from '../../base/decode.ts';
import { COSIGN_SIGNATURE, SIGSTORE_PAYLOAD_TYPE, type SigstoreSignature } from './sigstore.ts';
import { JsonFlaw, parseStrictJson, readMembers } from './strict-json.ts';

export type KeptSignature =
  | { readonly kind: 'simple'; readonly blob: Uint8Array }
  | { readonly kind: 'sigstore'; readonly signature: SigstoreSignature }
  | { readonly kind: 'unknown'; readonly why: string };

const NEWLINE = 0x0a;
const LONGEST_NAME = 64;

export function readKeptSignature(blob: Uint8Array): KeptSignature {
  if (blob[0] !== 0) return { kind: 'simple', blob };
  const end = blob.subarray(0, LONGEST_NAME).indexOf(NEWLINE);
  const name = Buffer.from(blob.subarray(1, Math.max(end, 1))).toString('latin1');
  const content = blob.subarray(end + 1);
  if (end > 0 && name === 'simple-signing') return { kind: 'simple', blob: content };
  if (end > 0 && name === 'sigstore-json') return readSigstore(content);
  return { kind: 'unknown', why: 'is of a format that is not known' };
}

function readSigstore(json: Uint8Array): KeptSignature {
  try {
    const { mimeType, payload, annotations } = readMembers(parseStrictJson(json), 'signature', [
      'mimeType',
      'payload',
      'annotations',
    ]);
    if (mimeType !== SIGSTORE_PAYLOAD_TYPE) return { kind: 'unknown', why: 'is an attachment of another kind' };
    const bytes = typeof payload === 'string' ? decodeBase64(payload) : undefined;
    if (bytes === undefined) throw new JsonFlaw('signature.payload: expected base64');
    const text = Object.entries(annotations ?? {}).find(([key]) => key === COSIGN_SIGNATURE)?.[1];
    const signature = typeof text === 'string' ? decodeBase64(text) : undefined;
    if (signature === undefined) throw new JsonFlaw(`signature: no ${COSIGN_SIGNATURE} in it`);
    return { kind: 'sigstore', signature: { payload: bytes, signature } };
  } catch (error) {
    if (error instanceof JsonFlaw) return { kind: 'unknown', why: error.message };
    throw error;
  }
}
