import { CodedError } from '../../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type EncapsulatedErrorCode =
  /** No image of an OSTree commit in format v1. */
  | 'NOT_ENCAPSULATED'
  /** Layers behind those of the commit. */
  | 'DERIVED_LAYERS'
  /** Metadata that a label should be made of are not there, or are no text. */
  | 'COMMIT_METADATA'
  /** A label that only this program may set. */
  | 'LABEL_RESERVED'
  /** A time that no image can have. */
  | 'COMMIT_TIME'
  /** The file of `--config`. */
  | 'BAD_CONTAINER_CONFIG';

export class EncapsulatedError extends CodedError<EncapsulatedErrorCode> {}
