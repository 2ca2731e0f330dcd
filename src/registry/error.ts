import { CodedError, codeOf, type ErrorDetails } from '../base/error.ts';
import { HttpError, type HttpResponse } from '../http/index.ts';
import { serverMessage } from './server-message.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type RegistryErrorCode =
  | 'REGISTRY_DENIED'
  | 'REGISTRY_NOT_FOUND'
  | 'REGISTRY_RATE_LIMITED'
  | 'REGISTRY_UNAVAILABLE'
  /** Credentials would go where nobody has agreed to send them. */
  | 'REGISTRY_REALM'
  /** An answer that the distribution specification does not know. */
  | 'REGISTRY_PROTOCOL'
  /** A repository, tag or digest that cannot be asked for. */
  | 'REGISTRY_NAME'
  /** Any other refusal, in the registry's own words. */
  | 'REGISTRY_ERROR';

export interface RegistryErrorDetails extends ErrorDetails {
  /** The status of the response, where there was one. */
  readonly status?: number | undefined;
}

export class RegistryError extends CodedError<RegistryErrorCode> {
  readonly status: number | undefined;

  constructor(code: RegistryErrorCode, message: string, details: RegistryErrorDetails = {}) {
    super(code, message, details);
    this.status = details.status;
  }
}

/** What was asked of whom; the beginning of every text. */
export interface Asked {
  readonly host: string;
  /** `manifest v1 of library/busybox`. */
  readonly what: string;
  /** Which files were searched for credentials, and what they gave. */
  readonly credentialsHint?: string | undefined;
}

/** The error that an unwanted status stands for. */
export function refusal(asked: Asked, { status, headers, bytes }: HttpResponse): RegistryError {
  const code = codeFor(status);
  const message = serverMessage(headers.get('content-type') ?? '', bytes);
  return new RegistryError(code, `${asked.host}: ${asked.what}: ${message ?? 'refused'} (status ${status})`, {
    status,
    subject: asked.host,
    hint: code === 'REGISTRY_DENIED' ? asked.credentialsHint : undefined,
  });
}

/** Statuses that `http` took for failures, in this domain's words. What was no answer at all is passed on as it is. */
export function explained(asked: Asked, error: unknown): unknown {
  if (!(error instanceof HttpError)) return error;
  if (error.code === 'HTTP_TLS' && isPlain(error.cause)) return speaksNoTls(asked);
  if (error.status === undefined || error.status === 407) return error;
  const code = codeFor(error.status);
  return new RegistryError(code, `${asked.host}: ${asked.what}`, {
    status: error.status,
    subject: asked.host,
    hint: code === 'REGISTRY_DENIED' ? asked.credentialsHint : error.hint,
    cause: error,
  });
}

/** What OpenSSL says of a server that answers in plain HTTP. */
function isPlain(cause: unknown): boolean {
  return codeOf(cause) === 'ERR_SSL_WRONG_VERSION_NUMBER' || codeOf(cause) === 'ERR_SSL_PACKET_LENGTH_TOO_LONG';
}

/** Without its cause: OpenSSL's text is about lines of its own source, and tells nobody what to do. */
function speaksNoTls({ host, what }: Asked): HttpError {
  return new HttpError('HTTP_TLS', `${host}: ${what}: the registry speaks no TLS`, {
    subject: host,
    hint: 'if that is meant: --tls-verify=false, or insecure = true for it in registries.conf',
  });
}

export function nonsense(asked: Asked, expected: string, found: string): RegistryError {
  const text = `${asked.host}: ${asked.what}: expected ${expected}, found ${found}`;
  return new RegistryError('REGISTRY_PROTOCOL', text, { subject: asked.host });
}

function codeFor(status: number): RegistryErrorCode {
  if (status === 401 || status === 403) return 'REGISTRY_DENIED';
  if (status === 404) return 'REGISTRY_NOT_FOUND';
  if (status === 429) return 'REGISTRY_RATE_LIMITED';
  return status >= 500 ? 'REGISTRY_UNAVAILABLE' : 'REGISTRY_ERROR';
}
