/** May an image be used? All requirements of the narrowest scope that the policy speaks of have to be met. */
import { formatNamed, type RawManifest } from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import { formatImageName } from '../image-name.ts';
import type { ImageSource } from '../ports.ts';
import type { VerifiedSignature } from '../signatures/index.ts';
import { Evidence, type Subject } from './evidence.ts';
import type { Policy, Requirements } from './policy-file.ts';
import type { Requirement } from './requirement.ts';
import { scopesOf } from './scopes.ts';
import { meetSignedBy, meetSigstoreSigned } from './signed.ts';

export interface PolicyContext {
  readonly now: Date;
  /** A signature has to be verified: an entry that accepts anything does not count, nor does the lack of a policy. */
  readonly requireSignature: boolean;
}

export interface PolicyVerdict {
  /** `no-policy`: nobody has said anything; the caller decides what holds then. */
  readonly decision: 'accepted' | 'no-policy';
  /** `docker:quay.io/team`, `oci:""`, `default`; undefined without a policy. */
  readonly scope: string | undefined;
  /** Types of the requirements that were met, in their order. */
  readonly requirements: readonly Requirement['type'][];
  /** For each requirement that asks for one: the first signature that meets it. */
  readonly signatures: readonly VerifiedSignature[];
}

/**
 * Nothing of the image but its manifest's bytes is looked at.
 * @throws ImagesError POLICY_REJECTED: rejected, or a requirement that cannot be evaluated; SIGNATURE_MISSING: none of
 *   the kind that is asked for; SIGNATURE_INVALID with the reason of every signature; BAD_POLICY: a key that cannot be
 *   read. And whatever getting the signatures throws.
 */
export async function evaluatePolicy(
  policy: Policy | undefined,
  source: ImageSource,
  raw: RawManifest,
  context: PolicyContext,
  signal: AbortSignal,
): Promise<PolicyVerdict> {
  const image = describeImage(source, raw);
  if (policy === undefined) {
    if (context.requireSignature) throw noSignature(image, 'there is no policy that says whose');
    return { decision: 'no-policy', scope: undefined, requirements: [], signatures: [] };
  }
  const { scope, requirements } = requirementsFor(policy, source);
  const subject = { image, scope, identity: source.identity ?? source.stored?.named, raw, now: context.now };
  const evidence = new Evidence(source, raw, signal);
  const signatures: VerifiedSignature[] = [];
  for (const requirement of requirements) {
    const signature = await meet(requirement, subject, evidence);
    if (signature !== undefined) signatures.push(signature);
  }
  if (context.requireSignature && signatures.length === 0) {
    throw noSignature(image, `policy ${scope} accepts it without one`);
  }
  return { decision: 'accepted', scope, requirements: requirements.map(({ type }) => type), signatures };
}

/** The signature that meets it, where it asks for one. */
async function meet(
  requirement: Requirement,
  subject: Subject,
  evidence: Evidence,
): Promise<VerifiedSignature | undefined> {
  switch (requirement.type) {
    case 'insecureAcceptAnything':
      return undefined;
    case 'reject':
      throw new ImagesError('POLICY_REJECTED', `${subject.image}: policy ${subject.scope} rejects it`, {
        subject: subject.image,
      });
    case 'notEvaluable':
      throw new ImagesError(
        'POLICY_REJECTED',
        `${subject.image}: policy ${subject.scope} requires ${requirement.what}, which is not supported here`,
        { subject: subject.image },
      );
    case 'signedBy':
      return meetSignedBy(requirement, subject, evidence);
    case 'sigstoreSigned':
      return meetSigstoreSigned(requirement, subject, evidence);
  }
}

function requirementsFor(
  policy: Policy,
  { name, identity, stored }: ImageSource,
): { readonly scope: string; readonly requirements: Requirements } {
  const ofTransport = policy.transports.get(name.transport);
  if (ofTransport !== undefined) {
    for (const scope of [...scopesOf(name, identity, stored), '']) {
      const requirements = ofTransport.get(scope);
      if (requirements !== undefined)
        return { scope: `${name.transport}:${scope === '' ? '""' : scope}`, requirements };
    }
  }
  return { scope: 'default', requirements: policy.default };
}

function describeImage({ name, identity }: ImageSource, { digest }: RawManifest): string {
  const text = identity === undefined ? formatImageName(name) : formatNamed(identity);
  return text.includes(digest) ? text : `${text} (${digest})`;
}

function noSignature(image: string, why: string): ImagesError {
  return new ImagesError('SIGNATURE_MISSING', `${image}: a verified signature is required, and ${why}`, {
    hint: 'add a signedBy or sigstoreSigned requirement for it to the policy',
    subject: image,
  });
}
