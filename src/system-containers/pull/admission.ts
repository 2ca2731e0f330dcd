/** May an image be used, and what vouches for it (spec system-containers 6, step 3)? */
import { admitImage, formatImageName, type ImageSource, type PolicyVerdict } from '../../images/index.ts';
import type { RawManifest } from '../../oci/index.ts';
import { ContainerError } from '../error.ts';
import { isWeaker, type Verification } from '../verification.ts';
import type { PullRequest } from './request.ts';

export type AdmissionRequest = Pick<
  PullRequest,
  'policy' | 'requireSignature' | 'insecure' | 'floor' | 'now' | 'progress' | 'signal'
>;

/**
 * What the policy says; without one what came over verified TLS, from this machine, or was asked for by its digest.
 * @throws ImagesError POLICY_REJECTED, SIGNATURE_MISSING, SIGNATURE_INVALID; ContainerError VERIFICATION_WEAKER
 */
export async function admit(source: ImageSource, raw: RawManifest, request: AdmissionRequest): Promise<Verification> {
  const { policy, insecure, floor, progress, signal } = request;
  const context = {
    now: new Date(request.now ?? Date.now()),
    requireSignature: request.requireSignature || floor?.level === 'signed',
    mayBeUnverified: insecure,
  };
  const verdict = await admitImage(policy?.policy, source, raw, context, signal);
  const verification = verificationOf(source, verdict);
  if (verdict.decision === 'no-policy') {
    progress({ kind: 'note', text: `there is no policy.json: accepted, ${whyAccepted(source, verification)}` });
  }
  if (verification.level === 'none') {
    progress({ kind: 'warning', text: `${formatImageName(source.name)}: came without verified TLS, unsigned` });
  }
  assertNotWeaker(formatImageName(source.name), verification, floor);
  return verification;
}

/** @throws ContainerError VERIFICATION_WEAKER */
export function assertNotWeaker(image: string, found: Verification, floor: Verification | undefined): void {
  if (floor === undefined || !isWeaker(found, floor)) return;
  const text = `${image}: verified by ${WORDS[found.level]}; the installed image was by ${WORDS[floor.level]}`;
  throw new ContainerError('VERIFICATION_WEAKER', text, {
    hint: 'an update never accepts less than the installation did; to accept it, uninstall and install again',
    subject: image,
  });
}

const WORDS: Readonly<Record<Verification['level'], string>> = {
  none: 'nothing',
  transport: 'the way it came',
  digest: 'its digest',
  signed: 'a signature',
};

function verificationOf(source: ImageSource, { scope, signatures }: PolicyVerdict): Verification {
  if (signatures.length > 0) return { level: 'signed', scope, keys: [...new Set(signatures.map(({ key }) => key))] };
  if (source.identity?.digest !== undefined) return { level: 'digest', scope, keys: [] };
  return { level: source.isUnverified === true ? 'none' : 'transport', scope, keys: [] };
}

function whyAccepted({ name }: ImageSource, { level }: Verification): string {
  if (level === 'none') return 'for --insecure says so';
  if (level === 'digest') return 'for it was asked for by its digest';
  return name.transport === 'docker' ? 'for it came over verified TLS' : 'for it lies on this machine';
}
