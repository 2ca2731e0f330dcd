/** Codes are API: scripts and tests match on them, texts may change. */
import { CodedError, type ErrorDetails } from '../base/error.ts';

export type OstreeErrorCode =
  /** Bytes that are not what the format says. */
  | 'OBJECT_MALFORMED'
  /** An object whose content does not give its name. */
  | 'OBJECT_CORRUPT'
  | 'OBJECT_MISSING'
  /** A content that this repository mode cannot hold under its checksum. */
  | 'OBJECT_UNSUITABLE'
  | 'CONFIG_MALFORMED'
  | 'NOT_A_REPOSITORY'
  | 'REPOSITORY_EXISTS'
  | 'REPOSITORY_MODE'
  | 'REPOSITORY_READ_ONLY'
  | 'REF_NAME'
  | 'REF_MISSING'
  | 'REF_EXISTS'
  | 'REF_AMBIGUOUS'
  | 'COMMIT_PARTIAL'
  | 'REMOTE_UNKNOWN'
  | 'REMOTE_EXISTS'
  /** Its configuration, or what it serves, cannot be pulled from. */
  | 'REMOTE_UNSUITABLE'
  | 'FILE_TYPE'
  | 'FILE_NAME'
  | 'FILE_CHANGED'
  | 'PATH_MISSING'
  | 'TARGET_EXISTS'
  | 'HARDLINKS_IMPOSSIBLE'
  | 'SUMMARY_MALFORMED'
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_INVALID'
  | 'BINDING_MISMATCH'
  | 'OLDER_COMMIT'
  | 'DELTA_MALFORMED'
  | 'DELTA_MISSING'
  | 'DELTA_UNSUITABLE'
  | 'MIN_FREE_SPACE'
  | 'TOO_LARGE';

export class OstreeError extends CodedError<OstreeErrorCode> {}

/** What an outside object says wrongly: `dirtree ab12…: expected …, found …`. */
export function malformed(what: string, text: string, details: ErrorDetails = {}): OstreeError {
  return new OstreeError('OBJECT_MALFORMED', `${what}: ${text}`, details);
}
