/** Errors of system containers. */
import { CodedError } from '../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type ContainerErrorCode =
  | 'BAD_CONTAINER_NAME'
  | 'BAD_CONTAINER_PATH'
  | 'BAD_CONTAINER_CONFIG'
  | 'BAD_EXPORT'
  | 'BAD_IMAGE_MANIFEST'
  | 'BAD_INFO'
  | 'BAD_JOURNAL'
  | 'BAD_SETTINGS'
  | 'BAD_STORED_IMAGE'
  | 'BAD_TEMPLATE'
  | 'BAD_UNIT'
  | 'BAD_VALUE'
  | 'BIND_SOURCE_UNREADABLE'
  | 'CONTAINER_BROKEN'
  | 'CONTAINER_EXISTS'
  | 'CONTAINER_MISSING'
  | 'CONTAINER_PREINSTALLED'
  | 'FORCED_VARIABLE'
  | 'HOST_FILE_EXISTS'
  | 'HOST_PATH_REFUSED'
  | 'IMAGE_EXPORTS_HOST_FILES'
  | 'IMAGE_IN_USE'
  | 'IMAGE_NAME_MISSING'
  | 'IMAGE_NOT_STORED'
  | 'MISSING_VARIABLES'
  | 'NO_PREVIOUS_DEPLOYMENT'
  | 'NOT_ALLOWED_ON_HOST'
  | 'NOT_EXPORTABLE'
  | 'RUNTIME_MISSING'
  | 'SERVICE_DID_NOT_START'
  | 'SERVICE_DID_NOT_STOP'
  | 'VERIFICATION_WEAKER'
  | 'WRITABLE_ROOT';

export class ContainerError extends CodedError<ContainerErrorCode> {}
