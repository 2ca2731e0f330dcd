/**
 * Delete what nothing leads to. An interruption leaves garbage for the next run and never a commit with holes: commits
 * go first, and are gone for good before anything that was in them goes. Spec 16.
 */
import type { DeltaName } from '../delta/names.ts';
import { OstreeError } from '../error.ts';
import { type Checksum, isChecksum } from '../objects/checksum.ts';
import { lockForChange } from '../repository/lock.ts';
import { listRefs, refspecOf } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import { missing, objectsOf } from '../storage/object-reader.ts';
import { listDeltas } from '../summary/delta-index.ts';
import { deleteCommits, deleteObjects, type Freed, measure, type ObjectList } from './delete-objects.ts';
import { type Inventory, readInventory } from './inventory.ts';
import { assertWritable, type LockRequest } from './lock.ts';
import { findReachable, type RootOptions } from './reachable.ts';
import { removeDeltas, removeStrayCaches, removeStrayMarks, removeUnfinished } from './stray-files.ts';
import { unusedXattrs } from './unused-xattrs.ts';

export interface PruneOptions extends RootOptions, LockRequest {
  /** Say what would go, change nothing. */
  readonly dryRun?: boolean | undefined;
  /** Delete this one first; a tombstone takes its place from now on. */
  readonly deleteCommit?: Checksum | undefined;
  /** Of `deleteCommit`, delete the static deltas that lead to it, not the commit. */
  readonly staticDeltasOnly?: boolean | undefined;
}

export interface PruneResult {
  /** Objects that there were; with `commitOnly` commits only. Commits that were deleted by name are not counted. */
  readonly total: number;
  readonly deleted: number;
  /** Bytes of their files. Where checkouts share them, their blocks stay in use. */
  readonly freedBytes: number;
  readonly deltas: number;
  readonly danglingRefs: readonly string[];
}

/**
 * @throws OstreeError OBJECT_MISSING for a commit to delete that there is none of, or one that lacks directories
 *   without being marked as partial; REF_EXISTS when a ref points to the commit to delete;
 *   REPOSITORY_READ_ONLY; CodedError LOCK_TIMEOUT
 */
export async function prune(repository: Repository, options: PruneOptions): Promise<PruneResult> {
  const dryRun = options.dryRun === true;
  if (!dryRun) assertWritable(repository);
  const held = await lockForChange(repository, 'exclusive', options);
  try {
    const inventory = readInventory(repository);
    const deleted = options.staticDeltasOnly === true ? undefined : options.deleteCommit;
    if (deleted !== undefined) takeCommit(repository, inventory, deleted, dryRun);
    const { reach, danglingRefs } = findReachable(repository, inventory.of('commit'), deleted, options);
    const commits = without(inventory.of('commit'), reach.commits);
    const rest = options.commitOnly === true ? [] : garbageOf(repository, inventory, reach, commits, deleted);
    const total = options.commitOnly === true ? inventory.of('commit').size : inventory.size;
    options.signal.throwIfAborted();
    const freed = dryRun ? measureAll(repository, commits, rest) : deleteAll(repository, commits, deleted, rest);
    const gone = new Set([...commits, deleted]);
    const reader = objectsOf(repository);
    const isPresent = (commit: Checksum): boolean => !gone.has(commit) && reader.has(commit, 'commit');
    const deltas = doomedDeltas(repository, isPresent, options);
    if (!dryRun) {
      removeDeltas(repository, deltas);
      removeStrayCaches(repository);
      removeStrayMarks(repository, isPresent);
      removeUnfinished(repository, inventory.unfinished);
    }
    return { total, deleted: freed.objects, freedBytes: freed.bytes, deltas: deltas.length, danglingRefs };
  } finally {
    held.release();
  }
}

function doomedDeltas(
  repository: Repository,
  isPresent: (commit: Checksum) => boolean,
  { staticDeltasOnly, deleteCommit }: PruneOptions,
): readonly DeltaName[] {
  const wanted = staticDeltasOnly === true ? deleteCommit : undefined;
  return listDeltas(repository).filter(({ to }) => to === wanted || !isPresent(to));
}

/** @throws OstreeError REF_EXISTS, OBJECT_MISSING */
function takeCommit(repository: Repository, inventory: Inventory, commit: Checksum, dryRun: boolean): void {
  if (!isChecksum(commit)) throw new Error('unreachable: a commit that is no checksum');
  const ref = listRefs(repository).find((each) => each.commit === commit);
  if (ref !== undefined) {
    throw new OstreeError('REF_EXISTS', `commit ${commit} is what ref ${refspecOf(ref)} points to`, {
      hint: 'delete the ref first, or point it elsewhere',
      subject: commit,
    });
  }
  if (!inventory.remove(commit, 'commit')) throw missing(commit, 'commit');
  if (dryRun || repository.config.tombstoneCommits) return;
  repository.updateConfig((file) => file.set('core', 'tombstone-commits', 'true'));
}

/** Everything but commits, in the order in which it goes. */
function garbageOf(
  repository: Repository,
  inventory: Inventory,
  reach: ReturnType<typeof findReachable>['reach'],
  commits: readonly Checksum[],
  deleted: Checksum | undefined,
): readonly ObjectList[] {
  const files = without(inventory.of('file'), reach.files);
  const links = without(inventory.of('file-xattrs-link'), reach.files);
  const gone = new Set([...commits, deleted]);
  const reader = objectsOf(repository);
  return [
    // Of commits that are not there, neither here nor in a parent repository; those of ours go with their commits.
    {
      type: 'commitmeta',
      isCounted: false,
      checksums: [...inventory.of('commitmeta')].filter((commit) => !gone.has(commit) && !reader.has(commit, 'commit')),
    },
    { type: 'dirtree', isCounted: true, checksums: without(inventory.of('dirtree'), reach.dirTrees) },
    { type: 'dirmeta', isCounted: true, checksums: without(inventory.of('dirmeta'), reach.dirMetas) },
    { type: 'file', isCounted: true, checksums: files },
    { type: 'file-xattrs', isCounted: false, checksums: unusedXattrs(repository, inventory, links) },
    { type: 'file-xattrs-link', isCounted: false, checksums: links },
    { type: 'payload-link', isCounted: false, checksums: [...inventory.of('payload-link')] },
  ];
}

function without(all: ReadonlySet<Checksum>, kept: ReadonlySet<Checksum>): Checksum[] {
  return [...all].filter((checksum) => !kept.has(checksum));
}

function measureAll(repository: Repository, commits: readonly Checksum[], rest: readonly ObjectList[]): Freed {
  return measure(repository, [{ type: 'commit', isCounted: true, checksums: commits }, ...rest]);
}

function deleteAll(
  repository: Repository,
  commits: readonly Checksum[],
  deleted: Checksum | undefined,
  rest: readonly ObjectList[],
): Freed {
  if (deleted !== undefined) deleteCommits(repository, [deleted]);
  const ofCommits = deleteCommits(repository, commits);
  const ofRest = deleteObjects(repository, rest);
  return { objects: ofCommits.objects + ofRest.objects, bytes: ofCommits.bytes + ofRest.bytes };
}
