/** What a prune keeps: everything that its roots lead to. */
import { OstreeError } from '../error.ts';
import { Reach, reachTree } from '../history/reach.ts';
import type { Checksum } from '../objects/checksum.ts';
import { type Commit, decodeCommit } from '../objects/commit.ts';
import { partialCommits } from '../repository/partial.ts';
import { listRefs, type Ref, refMissing, refspecOf } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import { type ObjectReader, objectsOf } from '../storage/object-reader.ts';

export interface RootOptions {
  /** Refs only; else every commit that is present is a root as well. */
  readonly refsOnly?: boolean | undefined;
  /** Generations to keep behind a root: -1, the default, all; 0 none. */
  readonly depth?: number | undefined;
  /** Seconds since the epoch: behind a ref, only commits that are not older are kept. */
  readonly keepYoungerThan?: number | undefined;
  /** Depth for single refs, by refspec. */
  readonly retainBranchDepth?: ReadonlyMap<string, number> | undefined;
  /** The other refs keep their whole history. */
  readonly onlyBranches?: readonly string[] | undefined;
  /** Commits alone, not what is in them. */
  readonly commitOnly?: boolean | undefined;
}

export interface Reachable {
  readonly reach: Reach;
  /** Refs whose commits are absent: nothing behind them can be kept. */
  readonly danglingRefs: readonly string[];
}

/**
 * @param commits those that are present; others are as if they were absent (one that is being deleted)
 * @throws OstreeError OBJECT_MISSING when a commit that is not partial lacks a directory, OBJECT_MALFORMED, REF_MISSING
 */
export function findReachable(
  repository: Repository,
  commits: ReadonlySet<Checksum>,
  deleted: Checksum | undefined,
  options: RootOptions,
): Reachable {
  const walk = new Walk(repository, deleted, options.commitOnly === true);
  const refs = listRefs(repository);
  const isByBranch = selectsBranches(options);
  assertBranches(refs, options.onlyBranches ?? []);
  const danglingRefs = refs
    .filter((ref) => !walk.from(ref.commit, ...limitsOf(refspecOf(ref), options)))
    .map(refspecOf);
  if (options.refsOnly !== true && !isByBranch) {
    for (const commit of commits) walk.from(commit, options.depth ?? -1);
  }
  return { reach: walk.reach, danglingRefs };
}

/** With these options only refs are roots. */
export function selectsBranches({ keepYoungerThan, retainBranchDepth, onlyBranches }: RootOptions): boolean {
  return keepYoungerThan !== undefined || (retainBranchDepth?.size ?? 0) > 0 || (onlyBranches?.length ?? 0) > 0;
}

function assertBranches(refs: readonly Ref[], names: readonly string[]): void {
  const known = new Set(refs.map(refspecOf));
  for (const name of names) if (!known.has(name)) throw refMissing(name);
}

/** How far to go back from a ref: a depth, or a time. */
function limitsOf(name: string, options: RootOptions): [depth: number, youngerThan?: number] {
  const { depth = -1, retainBranchDepth, onlyBranches = [], keepYoungerThan } = options;
  const retained = retainBranchDepth?.get(name);
  if (retained !== undefined) return [retained];
  if (onlyBranches.length > 0 && !onlyBranches.includes(name)) return [-1];
  return keepYoungerThan === undefined ? [depth] : [-1, keepYoungerThan];
}

class Walk {
  readonly reach = new Reach();
  readonly #reader: ObjectReader;
  readonly #partial: ReadonlySet<Checksum>;
  readonly #deleted: Checksum | undefined;
  readonly #commitOnly: boolean;
  /** How far back each commit was followed already: long histories are walked once, not once for each commit. */
  readonly #followed = new Map<Checksum, number>();

  constructor(repository: Repository, deleted: Checksum | undefined, commitOnly: boolean) {
    this.#reader = objectsOf(repository);
    this.#partial = new Set(partialCommits(repository));
    this.#deleted = deleted;
    this.#commitOnly = commitOnly;
  }

  /** False when the commit itself is absent. The first one is kept however old it is. */
  from(first: Checksum, depth: number, youngerThan?: number): boolean {
    let left = depth < 0 ? Number.POSITIVE_INFINITY : depth;
    let isFirst = true;
    for (let next: Checksum | undefined = first; next !== undefined && left >= 0; left--) {
      if (youngerThan === undefined && (this.#followed.get(next) ?? -1) >= left) return true;
      const commit = this.#commit(next);
      if (commit === undefined) return !isFirst;
      const isOld = youngerThan !== undefined && commit.timestamp < youngerThan;
      if (isOld && !isFirst) return true;
      if (youngerThan === undefined) this.#followed.set(next, left);
      this.#keep(next, commit);
      if (isOld) return true;
      isFirst = false;
      next = commit.parent;
    }
    return true;
  }

  #commit(checksum: Checksum): Commit | undefined {
    if (checksum === this.#deleted) return undefined;
    const bytes = this.#reader.metadataIfPresent(checksum, 'commit');
    return bytes && decodeCommit(bytes, `commit ${checksum}`);
  }

  #keep(checksum: Checksum, commit: Commit): void {
    if (this.reach.commits.has(checksum)) return;
    this.reach.commits.add(checksum);
    if (this.#commitOnly) return;
    if (this.#partial.has(checksum)) reachTree(this.#reader, commit, this.reach, ignoreMissing);
    else reachTree(this.#reader, commit, this.reach, (tree) => refuseMissing(checksum, tree));
  }
}

function ignoreMissing(): void {
  // a partial commit may lack directories
}

function refuseMissing(commit: Checksum, tree: Checksum): never {
  throw new OstreeError('OBJECT_MISSING', `commit ${commit}: dirtree ${tree} is missing: what it needs is not known`, {
    hint: 'see what is lost with "ostree-container repo fsck", which marks the commit as partial',
    subject: commit,
  });
}
