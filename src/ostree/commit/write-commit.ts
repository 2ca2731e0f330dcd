/** The commit object itself. */
import { array, string, type Vardict, type Variant, variantOf } from '../../gvariant/index.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import { encodeCommit } from '../objects/commit.ts';
import { compareNames } from '../objects/order.ts';
import { SIZES_KEY } from '../objects/sizes.ts';
import type { Root } from './mutable-tree.ts';
import type { MetadataWriter } from './tally.ts';

export interface CommitOptions {
  readonly subject?: string | undefined;
  readonly body?: string | undefined;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly parent?: Checksum | undefined;
  /** Comes first, in this order. */
  readonly metadata?: Vardict | undefined;
  /** The refs that the commit is meant for, in any order; undefined: no bindings at all. */
  readonly boundRefs?: readonly string[] | undefined;
  /** Goes with the refs; that of the repository. */
  readonly collectionId?: string | undefined;
  /** Comes last. */
  readonly sizes?: Variant | undefined;
}

/**
 * Write a commit on a tree whose objects are all there. Refs are the caller's.
 * @throws OstreeError OBJECT_MALFORMED for an empty metadata key or one twice, or a timestamp that is none
 */
export function writeCommit(writer: MetadataWriter, { rootTree, rootMeta }: Root, options: CommitOptions): Checksum {
  const { subject = '', body = '', timestamp, parent } = options;
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new OstreeError('OBJECT_MALFORMED', `commit: a timestamp of ${timestamp} seconds`);
  }
  const metadata = commitMetadata(options);
  const object = encodeCommit({ metadata, parent, related: [], subject, body, timestamp, rootTree, rootMeta });
  return writer.putMetadata('commit', object).checksum;
}

/** In the order of libostree: what the user gave, the bindings, the sizes. */
function commitMetadata({ metadata = [], boundRefs, collectionId, sizes }: CommitOptions): Vardict {
  const all: (readonly [string, Variant])[] = [...metadata];
  if (boundRefs !== undefined) {
    const sorted = [...new Set(boundRefs)].sort(compareNames);
    all.push(['ostree.ref-binding', variantOf(array(string), sorted)]);
    if (collectionId !== undefined) all.push(['ostree.collection-binding', variantOf(string, collectionId)]);
  }
  if (sizes !== undefined) all.push([SIZES_KEY, sizes]);
  assertKeys(all);
  return all;
}

function assertKeys(metadata: Vardict): void {
  const seen = new Set<string>();
  for (const [key] of metadata) {
    if (key === '') throw new OstreeError('OBJECT_MALFORMED', 'commit: a metadata key is empty');
    if (seen.has(key)) throw new OstreeError('OBJECT_MALFORMED', `commit: metadata key ${key} twice`, { subject: key });
    seen.add(key);
  }
}
