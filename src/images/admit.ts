/** May an image be used, also where nobody has written a policy? */
import { formatNamed, type RawManifest } from '../oci/index.ts';
import { ImagesError } from './error.ts';
import { formatImageName } from './image-name.ts';
import { evaluatePolicy, type Policy, type PolicyContext, type PolicyVerdict } from './policy/index.ts';
import type { ImageSource } from './ports.ts';

export interface AdmissionContext extends PolicyContext {
  /** Something else vouches for the image, such as the signature of what is in it: the way it came does not count. */
  readonly mayBeUnverified?: boolean | undefined;
}

/**
 * What the policy says; without one what came over verified TLS, from a local file, or was asked for by its digest.
 * @throws ImagesError POLICY_REJECTED, SIGNATURE_MISSING, SIGNATURE_INVALID, BAD_POLICY
 */
export async function admitImage(
  policy: Policy | undefined,
  source: ImageSource,
  raw: RawManifest,
  context: AdmissionContext,
  signal: AbortSignal,
): Promise<PolicyVerdict> {
  const verdict = await evaluatePolicy(policy, source, raw, context, signal);
  const isVouchedFor = source.isUnverified !== true || context.mayBeUnverified === true;
  if (verdict.decision === 'accepted' || isVouchedFor) return verdict;
  const name = source.identity === undefined ? formatImageName(source.name) : formatNamed(source.identity);
  throw new ImagesError('POLICY_REJECTED', `${name}: came without verified TLS, and no policy accepts that`, {
    hint: 'name it by its digest, or write a policy that accepts it',
    subject: name,
  });
}
