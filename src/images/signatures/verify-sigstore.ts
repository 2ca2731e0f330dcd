/** Verification with a key at hand, without a policy. */
import type { RawManifest } from '../../oci/index.ts';
import type { SigstorePublicKey } from '../../trust/index.ts';
import { ImagesError } from '../error.ts';
import { findSigstore, type SignaturePlace } from './find-sigstore.ts';
import type { IdentityRule, VerifiedSignature } from './judgement.ts';
import { judgeSigstore } from './sigstore.ts';

/**
 * Every signature of the image by one of the keys; those of others do not matter.
 * @param rule which names in signatures are accepted; any when left out
 * @throws ImagesError SIGNATURE_MISSING when there is none at all, SIGNATURE_INVALID with the reason of each
 */
export async function verifySigstore(
  place: SignaturePlace,
  raw: RawManifest,
  keys: readonly SigstorePublicKey[],
  signal: AbortSignal,
  rule: IdentityRule = () => undefined,
): Promise<readonly VerifiedSignature[]> {
  const accepted: VerifiedSignature[] = [];
  const refused: string[] = [];
  for await (const found of findSigstore(place, raw.digest, signal)) {
    const judgement = typeof found === 'string' ? { refused: found } : judgeSigstore(found, keys, raw, rule);
    if ('accepted' in judgement) accepted.push(judgement.accepted);
    else refused.push(judgement.refused);
  }
  if (accepted.length > 0) return accepted;
  if (refused.length === 0) throw new ImagesError('SIGNATURE_MISSING', `${raw.digest}: there is no sigstore signature`);
  throw new ImagesError('SIGNATURE_INVALID', `${raw.digest}: no signature is accepted: ${listReasons(refused)}`);
}

/** Of many signatures the first reasons are enough. */
const MOST_REASONS = 8;

export function listReasons(reasons: readonly string[]): string {
  if (reasons.length === 1) return reasons[0] ?? '';
  const shown = reasons.slice(0, MOST_REASONS).map((reason, i) => `(${i + 1}) ${reason}`);
  const rest = reasons.length - shown.length;
  return `${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}
