/** The requirements that ask for a signature: one that holds and is about this image under an accepted name will do. */
import { explain } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { assertSafeOwner } from '../../linux/files/owner.ts';
import { readFileBounded, type SmallFile } from '../../linux/files/read.ts';
import { openKeyring, openSigstorePublicKey } from '../../trust/index.ts';
import { ImagesError } from '../error.ts';
import {
  type IdentityRule,
  type Judgement,
  judgeSigstore,
  judgeSimple,
  listReasons,
  type VerifiedSignature,
} from '../signatures/index.ts';
import type { Evidence, Subject } from './evidence.ts';
import { matchIdentity } from './identity-match.ts';
import type { KeySource, Requirement } from './requirement.ts';

type SignedRequirement = Extract<Requirement, { readonly keys: unknown }>;

/** The keyring of a distribution. */
const KEY_LIMIT = 64 * 2 ** 20;

/** @throws ImagesError SIGNATURE_MISSING, SIGNATURE_INVALID, BAD_POLICY */
export async function meetSignedBy(
  requirement: SignedRequirement,
  subject: Subject,
  evidence: Evidence,
): Promise<VerifiedSignature> {
  const keyring = await openKeyring(requirement.keys.map(readKey));
  if (keyring.keys.length === 0) {
    throw badKey(subject, `no key in it that can be used: ${keyring.problems.join('; ') || 'it is empty'}`);
  }
  const rule = ruleOf(requirement, subject);
  const refused: string[] = [];
  for (const blob of await evidence.simple()) {
    const judgement =
      typeof blob === 'string' ? { refused: blob } : await judgeSimple(blob, keyring, subject.raw, rule, subject.now);
    if ('accepted' in judgement) return judgement.accepted;
    refused.push(judgement.refused);
  }
  throw notMet(requirement, subject, refused, 'simple');
}

/** @throws ImagesError SIGNATURE_MISSING, SIGNATURE_INVALID, BAD_POLICY */
export async function meetSigstoreSigned(
  requirement: SignedRequirement,
  subject: Subject,
  evidence: Evidence,
): Promise<VerifiedSignature> {
  const keys = requirement.keys.map((source) => {
    const { name, bytes } = readKey(source);
    try {
      return openSigstorePublicKey(bytes, name);
    } catch (error) {
      throw badKey(subject, explain(error), error);
    }
  });
  const rule = ruleOf(requirement, subject);
  const refused: string[] = [];
  for await (const found of evidence.sigstore()) {
    const judgement: Judgement =
      typeof found === 'string' ? { refused: found } : judgeSigstore(found, keys, subject.raw, rule);
    if ('accepted' in judgement) return judgement.accepted;
    refused.push(judgement.refused);
  }
  throw notMet(requirement, subject, refused, 'sigstore');
}

function ruleOf({ signedIdentity }: SignedRequirement, { identity }: Subject): IdentityRule {
  return (signed) => matchIdentity(signedIdentity, identity, signed);
}

/** Who may write a key file decides what is trusted. @throws CodedError UNSAFE_OWNER; ImagesError BAD_POLICY */
function readKey(source: KeySource): { readonly name: string; readonly bytes: Uint8Array } {
  if ('data' in source) return { name: 'keyData', bytes: source.data };
  const { path } = source;
  const { bytes, stats } = readKeyFile(path);
  assertSafeOwner(stats, { path });
  return { name: printable(path), bytes };
}

function readKeyFile(path: string): SmallFile {
  try {
    return readFileBounded(path, KEY_LIMIT);
  } catch (cause) {
    throw new ImagesError('BAD_POLICY', `${printable(path)}: the key that the policy names cannot be read`, {
      cause,
      subject: path,
    });
  }
}

function badKey({ scope }: Subject, why: string, cause?: unknown): ImagesError {
  return new ImagesError('BAD_POLICY', `policy ${scope}: ${why}`, { cause });
}

function notMet(
  { type }: SignedRequirement,
  { image, scope }: Subject,
  refused: readonly string[],
  kind: 'simple' | 'sigstore',
): ImagesError {
  const demand = `${image}: policy ${scope} requires ${type}`;
  if (refused.length === 0) {
    return new ImagesError('SIGNATURE_MISSING', `${demand}, and there is no ${kind} signature`, { subject: image });
  }
  const reasons = listReasons(refused.map(printable));
  return new ImagesError('SIGNATURE_INVALID', `${demand}, and no signature is accepted: ${reasons}`, {
    subject: image,
  });
}
