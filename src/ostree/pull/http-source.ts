/** Commits from a web server, those first that came with a delta. */
import type { Checksum } from '../objects/checksum.ts';
import { encodeDetached } from '../objects/detached.ts';
import { METADATA_LIMIT, objectPath } from '../objects/object-type.ts';
import type { CommitSource } from './commits.ts';
import type { DeltaOffer } from './delta-choice.ts';
import type { Origin } from './origin.ts';

export interface HttpSourceOptions {
  readonly origin: Origin;
  readonly offers: ReadonlyMap<Checksum, DeltaOffer>;
  /** The publisher leaves a mark where a commit was deleted. */
  readonly hasTombstones: boolean;
  readonly signal: AbortSignal;
}

export function httpSource({ origin, offers, hasTombstones, signal }: HttpSourceOptions): CommitSource {
  const object = (
    side: 'metadata' | 'content',
    checksum: Checksum,
    extension: 'commit' | 'commitmeta',
    limit: number,
  ) => origin.get(side, `objects/${objectPath(checksum, extension)}`, limit, signal);
  return {
    async commit(checksum, limit) {
      return offers.get(checksum)?.superblock.commit ?? (await object('content', checksum, 'commit', limit));
    },
    async detached(checksum) {
      const found = await object('metadata', checksum, 'commitmeta', METADATA_LIMIT);
      const carried = offers.get(checksum)?.superblock.detached;
      return found ?? (carried && encodeDetached(carried));
    },
    async isDeleted(checksum) {
      if (!hasTombstones) return false;
      const path = `objects/${objectPath(checksum, 'tombstone-commit')}`;
      return (await origin.get('content', path, 4096, signal)) !== undefined;
    },
  };
}
