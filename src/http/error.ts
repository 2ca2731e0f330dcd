import { CodedError, type ErrorDetails } from '../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type HttpErrorCode =
  | 'HTTP_GONE'
  | 'HTTP_NOT_FOUND'
  | 'HTTP_DENIED'
  | 'HTTP_STATUS'
  | 'HTTP_UNAVAILABLE'
  | 'HTTP_UNREACHABLE'
  | 'HTTP_INTERRUPTED'
  | 'HTTP_STALLED'
  | 'HTTP_TLS'
  | 'HTTP_REDIRECT'
  | 'HTTP_LENGTH'
  | 'HTTP_RANGE'
  | 'HTTP_PROTOCOL'
  | 'HTTP_BAD_URL'
  | 'HTTP_BAD_PROXY'
  | 'HTTP_CLOSED'
  | 'TOO_LARGE';

export interface HttpErrorDetails extends ErrorDetails {
  /** The status of the response, where there was one. */
  readonly status?: number | undefined;
  /** How long the server asks to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

export class HttpError extends CodedError<HttpErrorCode> {
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: HttpErrorCode, message: string, details: HttpErrorDetails = {}) {
    super(code, message, details);
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

const TEMPORARY: ReadonlySet<string> = new Set([
  'HTTP_UNAVAILABLE',
  'HTTP_UNREACHABLE',
  'HTTP_INTERRUPTED',
  'HTTP_STALLED',
] satisfies HttpErrorCode[]);

/** Can the same request succeed later, with nothing changed on this side? */
export function isTemporary(error: unknown): boolean {
  return error instanceof HttpError && TEMPORARY.has(error.code);
}

/** Is it worth trying again within this run? Who cannot be reached at all will not be there in a second either. */
export function isWorthRetrying(error: unknown): error is HttpError {
  return error instanceof HttpError && error.code !== 'HTTP_UNREACHABLE' && TEMPORARY.has(error.code);
}
