/** A commit as one stream: a root file system and a repository at once (spec ostree-container 2.1). */
import {
  type Checksum,
  isPartial,
  lockForReading,
  OstreeError,
  objectsOf,
  type Repository,
} from '../../../ostree/index.ts';
import type { Sink } from './gathered.ts';
import { type StreamCounts, StreamWriter } from './stream-writer.ts';

export interface ExportTarOptions {
  readonly signal: AbortSignal;
  readonly onWait?: (() => void) | undefined;
  /** Milliseconds; default: that of the repository's configuration. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Two exports of one commit are equal. After an error what the sink has is of no use.
 * @throws OstreeError COMMIT_PARTIAL, OBJECT_MISSING, OBJECT_CORRUPT, OBJECT_MALFORMED; StreamError STREAM_LIMIT;
 *   TarError TAR_NAME, TAR_MALFORMED for what no archive holds; CodedError LOCK_TIMEOUT; what the sink throws
 */
export async function exportTar(
  repository: Repository,
  commit: Checksum,
  sink: Sink,
  options: ExportTarOptions,
): Promise<StreamCounts> {
  const held = await lockForReading(repository, options);
  try {
    if (isPartial(repository, commit)) {
      throw new OstreeError('COMMIT_PARTIAL', `commit ${commit}: objects of it may be missing`, { subject: commit });
    }
    const writer = new StreamWriter(objectsOf(repository), sink, options.signal);
    await writer.commit(commit, 'inline');
    await writer.finish();
    return writer.counts;
  } finally {
    held.release();
  }
}
