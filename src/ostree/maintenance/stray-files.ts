/** What belongs to commits and remotes that are gone: static deltas, their indexes, cached summaries. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { type DeltaName, deltaIndexPath, deltaPath } from '../delta/names.ts';
import type { Checksum } from '../objects/checksum.ts';
import { objectPath } from '../objects/object-type.ts';
import { remoteNames } from '../remotes/remote.ts';
import { REMOTES_FOLDER, readRemotesFolder, usesRemotesFolder } from '../remotes/remotes-folder.ts';
import { clearPartial, partialCommits } from '../repository/partial.ts';
import { listRefs } from '../repository/refs.ts';
import type { Repository } from '../repository/repository.ts';
import { removeIndex } from '../summary/delta-index.ts';

/** All deltas that lead to their commits. What clients look for first goes first: the index, then the superblock. */
export function removeDeltas(repository: Repository, deltas: readonly DeltaName[]): void {
  for (const to of new Set(deltas.map((delta) => delta.to))) removeIndex(repository, deltaIndexPath(to));
  for (const delta of deltas) {
    const path = `${repository.root}/${deltaPath(delta)}`;
    fs.rmSync(`${path}/superblock`, { force: true });
    fs.rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Marks of commits that are not there: what an interrupted prune left. Those stay that a ref leads to (fsck deleted the
 * commit, it is to be pulled again) and those of commits in staging directories (an interrupted pull goes on with them).
 */
export function removeStrayMarks(repository: Repository, isPresent: (commit: Checksum) => boolean): void {
  const marked = partialCommits(repository).filter((commit) => !isPresent(commit));
  if (marked.length === 0) return;
  const referenced = new Set(listRefs(repository).map(({ commit }) => commit));
  const tmp = `${repository.root}/tmp`;
  const stagings = namesIn(tmp).filter((name) => name.startsWith('staging-') && !name.endsWith('-lock'));
  for (const commit of marked) {
    const isStaged = stagings.some((name) => fs.existsSync(`${tmp}/${name}/${objectPath(commit, 'commit')}`));
    if (!referenced.has(commit) && !isStaged) clearPartial(repository, commit);
  }
}

/** @param paths below `objects/` */
export function removeUnfinished(repository: Repository, paths: readonly string[]): void {
  for (const path of paths) fs.rmSync(`${repository.root}/objects/${path}`, { force: true });
}

/** Summaries of remotes that there are none of. */
export function removeStrayCaches(repository: Repository): void {
  const folder = `${repository.root}/tmp/cache/summaries`;
  const cached = namesIn(folder);
  if (cached.length === 0) return;
  const known = new Set(allRemoteNames(repository));
  for (const name of cached) {
    if (!known.has(name.replace(/\.sig$/, ''))) fs.rmSync(`${folder}/${name}`, { recursive: true, force: true });
  }
}

/** Names only: a remote that is configured wrongly is one, too. */
function allRemoteNames(repository: Repository): string[] {
  const folder = usesRemotesFolder(repository) ? readRemotesFolder(REMOTES_FOLDER).map(({ file }) => file) : [];
  const own = [repository.keyFile, ...folder].flatMap(remoteNames);
  return repository.parent === undefined ? own : [...own, ...allRemoteNames(repository.parent)];
}

function namesIn(path: string): string[] {
  try {
    return fs.readdirSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
