import { CodedError } from '../../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type SeedErrorCode =
  /** Neither the seed layout nor format v1. */
  | 'NO_REPOSITORY_IN_IMAGE'
  /** Part of the layout is not what it has to be. */
  | 'SEED_MALFORMED'
  /** More than any image needs. */
  | 'SEED_LIMIT'
  /** Base and commit are made for different machines. */
  | 'ARCHITECTURE_MISMATCH'
  /** Nobody was named who the commit must be signed by. */
  | 'NO_VERIFICATION';

export class SeedError extends CodedError<SeedErrorCode> {}
