/** What a pull from a repository on this machine would do: commits are read and verified, nothing is stored. */
import { Reach, reachTree } from '../history/reach.ts';
import { lockForReading } from '../repository/lock.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { CommitReceiver, isWhole } from './commits.ts';
import type { PlannedCommit } from './from-remote.ts';
import { findMoves, type LocalOptions, type LocalPorts, localSource, rulesOf } from './local.ts';

export interface LocalPlan {
  readonly commits: readonly PlannedCommit[];
  /** Commits, directories and their metadata that are not here yet; parents included. */
  readonly metadata: number;
  /** Files that are not here yet. */
  readonly content: number;
}

/** @throws as `pullLocal`, but for damage in what would be copied */
export async function planLocal(
  from: Repository,
  into: Repository,
  options: LocalOptions,
  ports: LocalPorts,
): Promise<LocalPlan> {
  const held = await lockForReading(from, ports);
  try {
    const receiver = new CommitReceiver(into, localSource(from), rulesOf(options, ports));
    const commits: PlannedCommit[] = [];
    for (const { ref, from: previous, to } of findMoves(from, into, options)) {
      const notBefore = options.timestampCheck ? previous : undefined;
      const { signatures } = await receiver.receive({ checksum: to, ref, notBefore });
      const isOld = isWhole(into, to);
      const bytes = isOld ? 0 : undefined;
      commits.push({ ref, from: previous, to, isOld, bytes, delta: undefined, signatures });
    }
    return { commits, ...countMissing(from, into, receiver, options) };
  } finally {
    held.release();
  }
}

function countMissing(from: Repository, into: Repository, receiver: CommitReceiver, { commitOnly }: LocalOptions) {
  const [source, present] = [objectsOf(from), objectsOf(into)];
  const reach = new Reach();
  const counts = { metadata: 0, content: 0 };
  for (const { checksum, commit, isComplete } of receiver.received.values()) {
    if (!present.has(checksum, 'commit')) counts.metadata++;
    if (!commitOnly && !isComplete) reachTree(source, commit, reach);
  }
  for (const { checksum, type } of reach.names()) {
    if (type !== 'commit' && !present.has(checksum, type)) counts[type === 'file' ? 'content' : 'metadata']++;
  }
  return counts;
}
