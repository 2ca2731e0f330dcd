/** What comes out of looking at one signature of an image. */
import { digestOf, formatNamed, type NamedReference, type RawManifest, splitDigest } from '../../oci/index.ts';
import { parsePayload, type SignatureKind } from './payload.ts';
import { JsonFlaw } from './strict-json.ts';

/** A signature that holds, over this image, under a name that is accepted. */
export interface VerifiedSignature {
  readonly kind: SignatureKind;
  /** OpenPGP: fingerprint in upper-case hex; sigstore: `sha256:HEX` of the public key. */
  readonly key: string;
  /** User id of an OpenPGP key: untrusted text. */
  readonly signer: string | undefined;
  /** By the signer's own clock. */
  readonly signedAt: Date | undefined;
  /** What was signed, in full. */
  readonly identity: string;
}

/** `refused` says why, and names what the signature says of itself where that is known. */
export type Judgement = { readonly accepted: VerifiedSignature } | { readonly refused: string };

/** Why a name in a signature is not accepted for the image at hand; undefined: it is. */
export type IdentityRule = (signed: NamedReference) => string | undefined;

export interface Signed {
  readonly kind: SignatureKind;
  /** Bytes that the signature was found to hold over. */
  readonly payload: Uint8Array;
  readonly key: string;
  readonly signer?: string | undefined;
  readonly signedAt?: Date | undefined;
}

/** Does what was signed speak of this image? */
export function judgeClaim(signed: Signed, raw: RawManifest, rule: IdentityRule): Judgement {
  const { kind, payload, key, signer } = signed;
  try {
    const claim = parsePayload(payload, kind);
    const found = digestOf(raw.bytes, splitDigest(claim.digest).algorithm);
    if (claim.digest !== found) return { refused: `is over ${claim.digest}, and the image is ${found}` };
    const why = rule(claim.identity);
    if (why !== undefined) return { refused: why };
    const claimed = claim.signedAtMs === undefined ? undefined : new Date(claim.signedAtMs);
    const identity = formatNamed(claim.identity);
    return { accepted: { kind, key, signer, signedAt: signed.signedAt ?? claimed, identity } };
  } catch (error) {
    if (error instanceof JsonFlaw) return { refused: `payload is malformed: ${error.message}` };
    throw error;
  }
}
