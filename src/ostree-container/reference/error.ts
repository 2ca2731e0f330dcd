import { CodedError, type ErrorDetails } from '../../base/error.ts';
import { quote } from '../../base/text.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type ReferenceErrorCode =
  /** Not the name of an image, or not one that says whom to trust. */
  | 'BAD_OSTREE_REFERENCE'
  /** Nothing that escaping makes, or nothing that can be escaped. */
  | 'BAD_ESCAPED_REF';

export class OstreeReferenceError extends CodedError<ReferenceErrorCode> {}

/** Longer names than this are nobody's. */
const SHOWN = 1024;

export function badReference(text: string, why: string, details: ErrorDetails = {}): OstreeReferenceError {
  const subject = text.slice(0, SHOWN);
  return new OstreeReferenceError('BAD_OSTREE_REFERENCE', `image reference ${quote(text)}: ${why}`, {
    subject,
    ...details,
  });
}
