/** May an image be used? What the command line says of it, and what is told of the answer. */
import type { Command } from 'commander';
import { jsonTime } from '../../base/json.ts';
import type { CopyOptions, ImageSource, PolicyVerdict, VerifiedSignature } from '../../images/index.ts';
import { UsageError } from '../arguments.ts';
import type { Context } from '../program.ts';
import type { ImagesDoor } from './with-images.ts';

export interface PolicyValues {
  readonly policy?: string;
  readonly insecurePolicy?: true;
  readonly requireSignature?: true;
}

export function policyOptions(command: Command): Command {
  return command
    .option('--policy <file>', 'this policy.json instead of that of the user or the system')
    .option('--insecure-policy', 'ask no policy: take any image')
    .option('--require-signature', 'refuse an image without a verified signature, whatever the policy accepts');
}

export interface Admission {
  readonly admit: CopyOptions['admit'];
  /** Undefined before an image was admitted, and where no policy was asked. */
  readonly verdict: () => PolicyVerdict | undefined;
}

/** @throws UsageError; ImagesError BAD_POLICY */
export function openAdmission(
  { findPolicy, admitImage }: ImagesDoor,
  { policy, insecurePolicy, requireSignature: required }: PolicyValues,
  { output }: Context,
): Admission {
  const requireSignature = required === true;
  if (insecurePolicy === true) {
    if (policy !== undefined || requireSignature) {
      throw new UsageError('--insecure-policy excludes --policy and --require-signature');
    }
    return { admit: async () => undefined, verdict: () => undefined };
  }
  const found = findPolicy({ policyFile: policy, caller: { env: process.env, uid: process.getuid?.() ?? 0 } });
  let verdict: PolicyVerdict | undefined;
  return {
    async admit(source, raw, signal) {
      const context = { now: new Date(), requireSignature };
      verdict = await admitImage(found?.policy, source, raw, context, signal);
      if (verdict.decision === 'no-policy') output.info(`there is no policy.json: accepted, ${whyAccepted(source)}`);
      for (const each of verdict.signatures) output.info(describeSignature(each));
    },
    verdict: () => verdict,
  };
}

function whyAccepted({ name, identity }: ImageSource): string {
  if (name.transport !== 'docker') return 'for it lies on this machine';
  return identity?.digest === undefined ? 'for it came over verified TLS' : 'for it was asked for by its digest';
}

/** Names of keys and signers come from outside. */
export function describeSignature({ key, signer, signedAt, identity, kind }: VerifiedSignature): string {
  const who = signer === undefined ? key : `${key} (${signer})`;
  const when = signedAt === undefined ? '' : `, ${jsonTime(signedAt.getTime())}`;
  return `signed by ${who} as ${identity}${when}, ${kind === 'simple' ? 'OpenPGP' : 'sigstore'}`;
}

export function signatureDocument({ key, signer, signedAt, identity, kind }: VerifiedSignature) {
  return {
    kind,
    key,
    signer: signer ?? null,
    signedAt: signedAt === undefined ? null : jsonTime(signedAt.getTime()),
    identity,
  };
}

/** Null: no policy was asked. */
export function verdictDocument(verdict: PolicyVerdict | undefined) {
  if (verdict === undefined) return null;
  return {
    scope: verdict.scope ?? null,
    requirements: verdict.requirements,
    signatures: verdict.signatures.map(signatureDocument),
  };
}
