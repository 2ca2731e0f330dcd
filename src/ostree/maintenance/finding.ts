/** What fsck finds. */
import type { FsckFound } from '../jobs/fsck-objects.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { AnyType } from '../objects/object-type.ts';

/**
 * - `missing`, `corrupt`: an object, by its checksum;
 * - `lost`: a commit that an earlier fsck marked, and that was not pulled again since;
 * - `binding`: a ref, or a commit, that the bindings of a commit do not fit;
 * - `detached`: metadata beside a commit that cannot be read;
 * - `attributes`: of the file of an object, where they do not count (bare-user);
 * - `delta`: an index that tells of another superblock than there is.
 */
export type FindingKind = FsckFound['kind'] | 'lost' | 'binding' | 'detached' | 'delta';

export interface FsckFinding {
  readonly kind: FindingKind;
  readonly severity: 'error' | 'warning';
  /** A checksum, a ref, or the path of an index. */
  readonly subject: string;
  readonly type: AnyType | 'ref' | 'delta-index';
  /** For people. */
  readonly text: string;
  /** Which commits need it, and one path in each where it is; empty for what nothing leads to. */
  readonly users: readonly FindingUser[];
}

export interface FindingUser {
  readonly commit: Checksum;
  /** Absolute in the commit's tree; of a directory when its tree or its metadata is broken. */
  readonly path: string;
}
