import { CodedError } from '../../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type StoreErrorCode =
  /** The repository has no such image. */
  | 'IMAGE_NOT_STORED'
  /** What should be the commit of an image has not what the store writes into it. */
  | 'STORED_IMAGE_MALFORMED'
  /** A layer of the image has no ref here. */
  | 'LAYER_NOT_STORED'
  /** The signature of the commit says nothing about layers on top of it. */
  | 'LAYERS_UNSIGNED'
  /** ... and there would have to be one. */
  | 'NO_COMMIT_IN_IMAGE'
  | 'NOT_BOOTABLE'
  | 'NOT_A_SYSROOT';

export class StoreError extends CodedError<StoreErrorCode> {}
