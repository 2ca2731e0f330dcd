/** Errors of OCI runtimes and of their configuration. */
import { CodedError, type ErrorDetails } from '../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type RuntimeErrorCode =
  | 'BAD_CONTAINER_CONFIG'
  | 'BAD_CONTAINER_PATH'
  | 'RUNTIME_FAILED'
  | 'RUNTIME_MISSING'
  | 'WRITABLE_ROOT';

export class RuntimeError extends CodedError<RuntimeErrorCode> {}

/** A `config.json` that is none. */
export class ConfigError extends RuntimeError {
  /** Where it stops making sense, from 1 on; undefined when the text is JSON and its content is the matter. */
  readonly line: number | undefined;

  constructor(message: string, details: ErrorDetails & { readonly line?: number | undefined } = {}) {
    super('BAD_CONTAINER_CONFIG', message, details);
    this.line = details.line;
  }
}
