import { CodedError } from '../../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type BuildRootErrorCode =
  /** This is no container: what would be emptied are the directories of the machine. */
  'NOT_A_CONTAINER';

export class BuildRootError extends CodedError<BuildRootErrorCode> {}
