/** What an import takes before it gives up with STREAM_LIMIT or TAR_LIMIT. */
export interface StreamLimits {
  /** Entries of one stream. */
  readonly entries: number;
  /** Of the stream, and likewise of the contents with their holes. */
  readonly bytes: number;
  /** Of all lists of attributes of one stream together: they stay in memory until its end. */
  readonly xattrs: number;
}

export const STREAM_LIMITS: StreamLimits = { entries: 20_000_000, bytes: 2 ** 40, xattrs: 2 ** 28 };

/** The largest metadata object, and the largest list of attributes (spec ostree-container 2.3). */
export const METADATA_BYTES = 10 * 2 ** 20;
export const LIST_BYTES = 2 ** 20;
