import { CodedError } from '../base/error.ts';
import { quote } from '../base/text.ts';

/** Codes are API: scripts and tests match on them, texts may change. `docs/errors.md` explains each. */
export type TakoErrorCode =
  | 'BUSY'
  | 'DUPLICATE'
  | 'HEALTH_FAILED'
  | 'IMAGE_MISSING'
  | 'IMAGE_UNREADABLE'
  | 'INCOMPLETE_CONFIG'
  | 'INVALID_CONFIG'
  | 'INVALID_DIGEST'
  | 'INVALID_MANIFEST'
  | 'INVALID_PUBLIC_KEY_DATA'
  | 'INVALID_SECRET_KEY_DATA'
  | 'INVALID_SECRET_KEY_PREFIX'
  | 'INVALID_SIGNATURE'
  | 'INVALID_SIGNATURE_DATA'
  | 'INVALID_SIZE'
  | 'INVALID_VERSION'
  | 'LATEST_NOT_A_LINK'
  | 'NO_CANDIDATE'
  | 'NO_CONFIG'
  | 'NO_DIRECTORY'
  | 'NO_MANIFEST'
  | 'NOT_A_SUPERSET'
  | 'OLDER_MANIFEST'
  | 'ORIGIN_UNREADABLE'
  | 'RESTART_FAILED'
  | 'SHARED_IMAGE'
  | 'UNKNOWN_VERSION';

export class TakoError extends CodedError<TakoErrorCode> {}

/** Something in a manifest is not as the format says; `where` is a line or a part of the file. */
export function malformed(where: string, expected: string, found?: string): TakoError {
  const tail = found === undefined ? '' : `, found ${quote(found)}`;
  return new TakoError('INVALID_MANIFEST', `manifest ${where}: ${expected}${tail}`);
}
