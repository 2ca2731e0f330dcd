/** What fsck changes: marks on commits that lack something, corrupt objects, tombstones for parents that are gone. */
import type { Checksum } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';
import { markPartial, partialReason } from '../repository/partial.ts';
import type { Repository } from '../repository/repository.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { deleteObjects, writeTombstone } from './delete-objects.ts';
import type { FsckFinding } from './finding.ts';
import { keyOf, type Located } from './locate.ts';

export interface Repaired {
  readonly marked: readonly Checksum[];
  readonly removed: readonly string[];
}

/** Those that lack something. Corrupt objects that stay do not count: they may come to be read again. */
export function commitsToMark(
  findings: readonly FsckFinding[],
  located: Located,
  remove: boolean,
): readonly Checksum[] {
  const marked = new Set<Checksum>();
  for (const { kind, subject, type } of findings) {
    if (kind === 'corrupt' && !remove) continue;
    for (const commit of located.commits.get(keyOf(subject, type)) ?? []) marked.add(commit);
  }
  return [...marked].sort();
}

/**
 * Mark every commit that lacks something, then remove what is corrupt: so no commit is whole by its marks and has
 * holes. Without `remove` corrupt objects stay.
 */
export function removeBroken(
  repository: Repository,
  findings: readonly FsckFinding[],
  marked: readonly Checksum[],
  remove: boolean,
): Repaired {
  for (const commit of marked) if (partialReason(repository, commit) !== 'f') markPartial(repository, commit, 'f');
  const corrupt = remove ? findings.filter(({ kind }) => kind === 'corrupt') : [];
  const removed = corrupt.filter(({ subject, type }) => {
    if (type === 'ref' || type === 'delta-index') return false;
    return deleteObjects(repository, [{ type, isCounted: true, checksums: [subject] }]).objects > 0;
  });
  return { marked, removed: removed.map(({ subject, type }) => keyOf(subject, type)) };
}

/** For parents that are missing: clients that ask for the history hear that it ends here on purpose. */
export function addTombstones(
  repository: Repository,
  reader: ObjectReader,
  commits: ReadonlyMap<Checksum, Commit | undefined>,
): Checksum[] {
  const missing = new Set(
    [...commits.values()].flatMap((commit) => {
      const parent = commit?.parent;
      const isThere = parent === undefined || commits.has(parent) || reader.has(parent, 'tombstone-commit');
      return isThere ? [] : [parent];
    }),
  );
  if (missing.size === 0) return [];
  if (!repository.config.tombstoneCommits) {
    repository.updateConfig((file) => file.set('core', 'tombstone-commits', 'true'));
  }
  for (const commit of missing) writeTombstone(repository, commit);
  return [...missing].sort();
}
