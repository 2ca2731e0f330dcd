import { CodedError } from '../../base/error.ts';

/** Codes are API: scripts and tests match on them, texts may change. */
export type StreamErrorCode =
  /** Not the format of the export stream. */
  | 'STREAM_MALFORMED'
  /** More than any stream needs. */
  | 'STREAM_LIMIT'
  /** The first object is no commit, or there is no object at all. */
  | 'STREAM_NO_COMMIT'
  | 'STREAM_SECOND_COMMIT'
  /** Metadata where the format has none. */
  | 'STREAM_MISPLACED'
  /** One content object twice in a component layer. */
  | 'STREAM_DUPLICATE'
  /** Objects that the commit reaches are neither in the stream nor here. */
  | 'STREAM_INCOMPLETE'
  /** A list of extended attributes whose bytes do not give its name. */
  | 'XATTRS_CORRUPT'
  /** A link to a list that the stream does not have. */
  | 'XATTRS_UNKNOWN'
  /** A file without such a link. */
  | 'XATTRS_MISSING'
  /** A link without its file. */
  | 'XATTRS_DANGLING'
  /** Signatures are asked for, and the commit has no detached metadata. */
  | 'COMMITMETA_MISSING'
  | 'SIGNATURE_KEY_MISSING'
  /** The key was revoked, or it or the signature has expired. */
  | 'SIGNATURE_EXPIRED';

export class StreamError extends CodedError<StreamErrorCode> {}
