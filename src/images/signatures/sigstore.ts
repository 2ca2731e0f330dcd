/** cosign's signatures with a key: ECDSA and the like over the JSON payload. No log and no authority is asked. */
import { decodeBase64, encodeBase64 } from '../../base/decode.ts';
import type { Descriptor, RawManifest } from '../../oci/index.ts';
import type { SigstorePublicKey } from '../../trust/index.ts';
import { type IdentityRule, type Judgement, judgeClaim } from './judgement.ts';

/** Layers of this type are payloads; their signature is in the annotation. */
export const SIGSTORE_PAYLOAD_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const COSIGN_SIGNATURE = 'dev.cosignproject.cosign/signature';
/** Of a signature that names its image as its subject. */
export const SIGSTORE_ARTIFACT_TYPE = 'application/vnd.dev.cosign.artifact.sig.v1+json';

export interface SigstoreSignature {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** By any of the keys; the payload is not looked at before the signature holds. */
export function judgeSigstore(
  { payload, signature }: SigstoreSignature,
  keys: readonly SigstorePublicKey[],
  raw: RawManifest,
  rule: IdentityRule,
): Judgement {
  const key = keys.find((each) => each.verify(payload, signature));
  if (key === undefined) return { refused: 'was not made by a key that is trusted' };
  return judgeClaim({ kind: 'sigstore', payload, key: key.keyId }, raw, rule);
}

/** The signature in the annotation of a payload's layer; undefined for a layer that carries none. */
export function signatureOf({ mediaType, annotations }: Descriptor): Uint8Array | undefined {
  const text = mediaType === SIGSTORE_PAYLOAD_TYPE ? annotations?.[COSIGN_SIGNATURE] : undefined;
  return text === undefined ? undefined : decodeBase64(text);
}

export function annotateSignature(signature: Uint8Array): Readonly<Record<string, string>> {
  return { [COSIGN_SIGNATURE]: encodeBase64(signature) };
}
