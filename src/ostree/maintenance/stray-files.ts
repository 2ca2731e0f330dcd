/** What belongs to commits and remotes that are gone: static deltas, their indexes, cached summaries. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { type DeltaName, deltaIndexPath, deltaPath } from '../delta/names.ts';
import type { Checksum } from '../objects/checksum.ts';
import { remoteNames } from '../remotes/remote.ts';
import { REMOTES_FOLDER, readRemotesFolder, usesRemotesFolder } from '../remotes/remotes-folder.ts';
import type { Repository } from '../repository/repository.ts';
import { listDeltas, removeIndex } from '../summary/delta-index.ts';

/** Deltas that lead to a commit which is not there. */
export function danglingDeltas(repository: Repository, isPresent: (commit: Checksum) => boolean): DeltaName[] {
  return listDeltas(repository).filter(({ to }) => !isPresent(to));
}

export function deltasTo(repository: Repository, commit: Checksum): DeltaName[] {
  return listDeltas(repository).filter(({ to }) => to === commit);
}

/** All deltas that lead to their commits. What clients look for first goes first: the index, then the superblock. */
export function removeDeltas(repository: Repository, deltas: readonly DeltaName[]): void {
  for (const to of new Set(deltas.map((delta) => delta.to))) removeIndex(repository, deltaIndexPath(to));
  for (const delta of deltas) {
    const path = `${repository.root}/${deltaPath(delta)}`;
    fs.rmSync(`${path}/superblock`, { force: true });
    fs.rmSync(path, { recursive: true, force: true });
  }
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
