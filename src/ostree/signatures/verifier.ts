/** What a commit or a summary must satisfy, and the judgement. */
import type { Vardict } from '../../gvariant/index.ts';
import { signaturesOf } from '../objects/detached.ts';
import { checkAll, type KeySet } from './key-set.ts';
import { type Advice, invalid, missing, type Refusal } from './refusal.ts';
import type { SignatureReport } from './report.ts';

export interface Verifier {
  /** False: anything is accepted, and nothing is looked at. */
  readonly isRequired: boolean;
  /**
   * All signatures of the kinds that count, good and bad, when enough of them are good.
   * @param data the bytes as they were received
   * @param what what they are, for errors: `commit ab12…`
   * @throws OstreeError SIGNATURE_MISSING, SIGNATURE_INVALID
   */
  verify(data: Uint8Array, signatures: Vardict, what: string): Promise<readonly SignatureReport[]>;
}

/** One good signature by any of these keys. */
export interface Requirement {
  readonly anyOf: readonly KeySet[];
  /** Who asks for it: `gpg-verify of remote origin`. */
  readonly setting: string;
  /** What to do when a key is missing, and when signatures are. */
  readonly advice: Advice;
}

/** Every requirement must be met; none at all accepts everything. */
export function verifierOf(requirements: readonly Requirement[], now: () => Date = () => new Date()): Verifier {
  return {
    isRequired: requirements.length > 0,
    async verify(data, signatures, what) {
      const reports: SignatureReport[] = [];
      for (const requirement of requirements) {
        reports.push(...(await meet(requirement, { data, signatures, what, now: now() })));
      }
      return reports;
    },
  };
}

interface Subject {
  readonly data: Uint8Array;
  readonly signatures: Vardict;
  readonly what: string;
  readonly now: Date;
}

async function meet(requirement: Requirement, subject: Subject): Promise<readonly SignatureReport[]> {
  const { data, signatures, what, now } = subject;
  const reports: SignatureReport[] = [];
  for (const keys of requirement.anyOf) reports.push(...(await checkAll(keys, data, signatures, now)));
  if (reports.some(({ status }) => status === 'good')) return reports;
  const refusal: Refusal = { ...requirement, what, kinds: requirement.anyOf.map(({ kind }) => kind) };
  const isSigned = requirement.anyOf.some(({ metadataKey }) => signaturesOf(signatures, metadataKey).length > 0);
  if (!isSigned) throw missing(refusal);
  const contents = await Promise.all(requirement.anyOf.map((keys) => keys.content()));
  throw invalid(refusal, reports, {
    count: contents.reduce((sum, { count }) => sum + count, 0),
    problems: contents.flatMap(({ problems }) => problems),
  });
}
