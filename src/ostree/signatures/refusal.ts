/** Why a commit or a summary was refused, and what can be done about it. */
import type { ErrorDetails } from '../../base/error.ts';
import { plural } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { KeySetContent } from './key-set.ts';
import { describeReport, type SignatureKind, type SignatureReport } from './report.ts';

/** SIGNATURE_INVALID with what was found, for those who tell apart why. */
export class SignatureRefused extends OstreeError {
  readonly reports: readonly SignatureReport[];

  constructor(message: string, details: ErrorDetails, reports: readonly SignatureReport[]) {
    super('SIGNATURE_INVALID', message, details);
    this.name = 'OstreeError';
    this.reports = reports;
  }
}

/** Beginnings of sentences, for hints. */
export interface Advice {
  readonly addKeys: string;
  readonly unsigned: string;
}

export interface Refusal {
  readonly setting: string;
  readonly advice: Advice;
  readonly what: string;
  readonly kinds: readonly SignatureKind[];
}

/** So many are told; somebody else decides how many there are. */
const TOLD = 5;

export function missing({ setting, advice, what, kinds }: Refusal): OstreeError {
  return new OstreeError(
    'SIGNATURE_MISSING',
    `${what}: no ${kinds.join(' or ')} signature, and ${setting} asks for one`,
    {
      hint: advice.unsigned,
      subject: what,
    },
  );
}

export function invalid(refusal: Refusal, reports: readonly SignatureReport[], keys: KeySetContent): OstreeError {
  const { setting, what } = refusal;
  const told = reports.slice(0, TOLD).map(describeReport);
  const more = reports.length > TOLD ? [`and ${reports.length - TOLD} more`] : [];
  const noKeys = keys.count === 0 ? ['there is no key to check it with'] : [];
  const problems = keys.problems.slice(0, TOLD);
  const text = [...told, ...more, ...noKeys, ...problems].join('; ');
  return new SignatureRefused(
    `${what}: ${plural(reports.length, 'signature')}, none good for ${setting}: ${text}`,
    { hint: hintFor(refusal, reports, keys), subject: what },
    reports,
  );
}

/** The report that says most decides: what is wrong with a key that we know before keys that we do not know. */
function hintFor({ advice }: Refusal, reports: readonly SignatureReport[], keys: KeySetContent): string {
  const has = (status: SignatureReport['status']): boolean => reports.some((report) => report.status === status);
  const add = advice.addKeys;
  if (keys.count === 0) return add;
  if (has('revoked-key'))
    return 'the key is not to be trusted any more: ask the publisher for a signature by a new one';
  if (has('expired-key')) return `get the key anew if its owner has prolonged it: ${add}`;
  if (has('expired-signature')) return 'ask the publisher for a new signature';
  if (has('bad')) return 'it was changed after it was signed, or damaged on the way: try another mirror';
  if (has('unknown-key')) return `only if you trust whoever signed it: ${add}`;
  return 'ask the publisher for a signature that follows the rules in docs/ostree-signatures.md';
}
