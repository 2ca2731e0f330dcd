import { CodedError } from '../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type OciErrorCode =
  /** Nothing is added to an archive of Docker. */
  | 'ARCHIVE_EXISTS'
  | 'BAD_REFERENCE'
  | 'BLOB_MISSING'
  | 'IMAGE_MISSING'
  | 'INVALID_DIGEST'
  | 'INVALID_SIZE'
  | 'LAYER_UNSUPPORTED'
  | 'LAYOUT_MALFORMED'
  | 'MANIFEST_MALFORMED'
  | 'MANIFEST_UNSUPPORTED'
  | 'NOT_A_LAYOUT'
  | 'PLATFORM_MISSING'
  | 'TAG_AMBIGUOUS'
  | 'TOO_LARGE';

export class OciError extends CodedError<OciErrorCode> {}

export function malformed(what: string, expected: string, found: string, cause?: unknown): OciError {
  return new OciError('MANIFEST_MALFORMED', `${what}: expected ${expected}, found ${found}`, { cause });
}
