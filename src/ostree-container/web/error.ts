/** Codes are API: scripts and tests match on them, texts may change. */
import { CodedError } from '../../base/error.ts';

export type WebErrorCode =
  /** The system does not give us this address or port. */
  'LISTEN_FAILED';

export class WebError extends CodedError<WebErrorCode> {}
