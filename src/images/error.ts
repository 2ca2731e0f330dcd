import { CodedError } from '../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type ImagesErrorCode =
  | 'BAD_CREDENTIALS_FILE'
  | 'BAD_IMAGE_NAME'
  | 'BAD_POLICY'
  | 'BAD_REGISTRIES_CONF'
  | 'BAD_REGISTRIES_D'
  | 'CREDENTIAL_HELPER'
  | 'DIGEST_WOULD_CHANGE'
  | 'IMAGE_UNSUITABLE'
  | 'POLICY_REJECTED'
  | 'REGISTRY_BLOCKED'
  | 'SHORT_NAME'
  | 'SIGNATURE_INVALID'
  | 'SIGNATURE_MISSING'
  | 'TRANSPORT_READ_ONLY'
  | 'TRANSPORT_UNSUPPORTED';

export class ImagesError extends CodedError<ImagesErrorCode> {}
