import { CodedError } from '../../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type PackingErrorCode =
  /** A file of `--contentmeta` that is not in the format, or that does not fit the commit. */
  | 'CONTENT_META'
  /** A number of layers that no image can have. */
  | 'LAYER_COUNT'
  /** A prior build whose structure cannot be kept. */
  | 'PRIOR_BUILD'
  /** A package database that is damaged, or costs more to read than one does. */
  | 'PACKAGE_DATABASE'
  | 'TOO_LARGE';

export class PackingError extends CodedError<PackingErrorCode> {}

/** A database that does not say what it should. */
export function damaged(what: string, expected: string, found: string, cause?: unknown): PackingError {
  const hint = 'name the components with --contentmeta, or repair the database';
  return new PackingError('PACKAGE_DATABASE', `${what}: expected ${expected}, found ${found}`, {
    cause,
    hint,
    subject: what,
  });
}
