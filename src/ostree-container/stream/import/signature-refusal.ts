/** Why a signature was refused, in codes of its own: whether a key is missing is another matter than a bad signature. */
import { SignatureRefused } from '../../../ostree/index.ts';
import { StreamError, type StreamErrorCode } from '../error.ts';

/** The same for everything but SIGNATURE_INVALID, and for that when a signature is really bad. */
export function moreExactly(error: unknown): unknown {
  if (!(error instanceof SignatureRefused)) return error;
  const code = codeFor(error);
  const { hint, subject } = error;
  return code === undefined ? error : new StreamError(code, error.message, { hint, subject, cause: error });
}

/** What is wrong with a key that we know says more than a key that we do not know. */
function codeFor({ reports }: SignatureRefused): StreamErrorCode | undefined {
  const has = (...wanted: readonly string[]): boolean => reports.some(({ status }) => wanted.includes(status));
  if (has('revoked-key', 'expired-key', 'expired-signature')) return 'SIGNATURE_EXPIRED';
  if (has('bad', 'unusable')) return undefined;
  return has('unknown-key') ? 'SIGNATURE_KEY_MISSING' : undefined;
}
