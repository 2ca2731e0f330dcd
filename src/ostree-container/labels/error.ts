import { CodedError } from '../../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type LabelErrorCode =
  /** `ostree.commit` is there, and nothing says which layers belong to it. */
  | 'FINAL_DIFFID_MISSING'
  /** `ostree.final-diffid` names no layer. */
  | 'FINAL_DIFFID_UNKNOWN'
  /** ... or several. */
  | 'FINAL_DIFFID_AMBIGUOUS'
  /** The label `ostree.commit` is not the commit that the image brings. */
  | 'COMMIT_LABEL_MISMATCH';

/** What an image says of its commit does not fit the rest of it. */
export class LabelError extends CodedError<LabelErrorCode> {}
