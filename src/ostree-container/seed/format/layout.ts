/** Where things are in an image of the seed layout, and how its configuration says so (spec ostree-container 1.2). */
import type { Checksum, MetadataType } from '../../../ostree/index.ts';
import { LABELS as COMMIT_LABELS } from '../../labels/index.ts';

export const OSTREE = 'ostree';
export const REPO = 'ostree/repo';
export const OBJECT_MAP = 'ostree/object-map';
export const WEBSERVER = 'ostree/repo-webserver';
export const CONFIG = '[core]\nrepo_version=1\nmode=archive-z2\n';
export const PORT = '8080/tcp';

/** Directories of a repository that hold nothing yet. */
export const SKELETON: readonly string[] = [
  'extensions',
  'objects',
  'refs',
  'refs/heads',
  'refs/mirrors',
  'refs/remotes',
  'state',
  'tmp',
  'tmp/cache',
];

/** A path below the repository. */
export function objectPath(checksum: Checksum, type: MetadataType | 'commitmeta' | 'filez'): string {
  return `objects/${checksum.slice(0, 2)}/${checksum.slice(2)}.${type}`;
}

/**
 * Labels, which conversions between manifest formats keep as they keep diff ids. Without those about layers an image
 * can be pulled all the same: then every layer is looked through.
 */
export const LABELS = {
  commit: COMMIT_LABELS.commit,
  version: COMMIT_LABELS.version,
  /** Of format v1. */
  finalDiffId: COMMIT_LABELS.finalDiffId,
  /** Diff id of the layer with everything of the repository but contents and deltas. */
  metadata: 'ostree.seed.metadata',
  /** Diff id of the layer with the `.filez` objects. */
  contents: 'ostree.seed.contents',
  /** Diff ids of the layers of the base that have external objects, with commas between them. */
  base: 'ostree.seed.base',
  /** Followed by the checksum that a delta starts from, or `empty`: diff id of its layer. */
  delta: 'ostree.seed.delta.',
} as const;

/** What they begin with. */
export const SEED_LABELS = 'ostree.seed.';

export const FROM_NOTHING = 'empty';
