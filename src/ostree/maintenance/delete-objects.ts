/** Taking objects out of a repository, commits in such a way that none is ever seen without what it needs. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { removeFromCache } from '../checkout/uncompressed-cache.ts';
import type { Checksum } from '../objects/checksum.ts';
import { encodeTombstone } from '../objects/detached.ts';
import { type AnyType, objectPath } from '../objects/object-type.ts';
import { clearPartial } from '../repository/partial.ts';
import type { Repository } from '../repository/repository.ts';
import { placePath } from '../storage/object-reader.ts';
import { replaceInRepository } from '../storage/temporary.ts';

export interface ObjectList {
  readonly type: AnyType;
  readonly checksums: readonly Checksum[];
  /** What lies beside the objects of commits goes with them, and is not counted. */
  readonly isCounted: boolean;
}

export interface Freed {
  readonly objects: number;
  readonly bytes: number;
}

/** What `deleteObjects` would free. A payload link counts for nothing, as it holds nothing. */
export function measure(repository: Repository, lists: readonly ObjectList[]): Freed {
  return eachObject(lists, (checksum, type) => sizeOf(pathOf(repository, checksum, type)));
}

/**
 * Tombstones first where they are in use, then the commits, flushed; only then the marks that they are partial, without
 * which a partial commit would look whole, and their detached metadata, without which a signed one could not be pulled.
 */
export function deleteCommits(repository: Repository, commits: readonly Checksum[]): Freed {
  if (commits.length === 0) return { objects: 0, bytes: 0 };
  if (repository.config.tombstoneCommits) for (const commit of commits) writeTombstone(repository, commit);
  const freed = deleteObjects(repository, [{ type: 'commit', isCounted: true, checksums: commits }]);
  if (repository.config.fsync) syncFanouts(repository, commits);
  for (const commit of commits) clearPartial(repository, commit);
  deleteObjects(repository, [{ type: 'commitmeta', isCounted: false, checksums: commits }]);
  return freed;
}

export function deleteObjects(repository: Repository, lists: readonly ObjectList[]): Freed {
  const hasCache = fs.existsSync(`${repository.root}/uncompressed-objects-cache`);
  return eachObject(lists, (checksum, type) => {
    const path = pathOf(repository, checksum, type);
    if (type === 'payload-link' && leadsSomewhere(path)) return undefined;
    const size = sizeOf(path);
    if (size === undefined) return undefined;
    naming(repository.directory.pathOf(`objects/${objectPath(checksum, type)}`), () => fs.unlinkSync(path));
    if (hasCache && type === 'file') removeFromCache(repository, checksum);
    return size;
  });
}

/** @param take bytes of what was there, undefined for nothing */
function eachObject(
  lists: readonly ObjectList[],
  take: (checksum: Checksum, type: AnyType) => number | undefined,
): Freed {
  let objects = 0;
  let bytes = 0;
  for (const { type, checksums, isCounted } of lists) {
    for (const checksum of checksums) {
      const size = take(checksum, type);
      if (size === undefined || !isCounted) continue;
      objects++;
      bytes += size;
    }
  }
  return { objects, bytes };
}

function pathOf(repository: Repository, checksum: Checksum, type: AnyType): string {
  return placePath(`${repository.root}/objects`, repository.mode, checksum, type);
}

function sizeOf(path: string): number | undefined {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.size;
}

/** A payload link whose file is still there. */
function leadsSomewhere(path: string): boolean {
  return fs.existsSync(path);
}

export function writeTombstone(repository: Repository, commit: Checksum): void {
  const objects = repository.directory.openDirectory('objects');
  if (objects === undefined) throw new Error('unreachable: a repository without objects');
  try {
    const directory = objects.makeDirectory(commit.slice(0, 2), 0o777);
    try {
      const name = `${commit.slice(2)}.tombstone-commit`;
      replaceInRepository(repository, { directory, name }, encodeTombstone(commit), 0o644);
    } finally {
      directory.close();
    }
  } finally {
    objects.close();
  }
}

function syncFanouts(repository: Repository, checksums: readonly Checksum[]): void {
  for (const fanout of new Set(checksums.map((checksum) => checksum.slice(0, 2)))) {
    const path = `${repository.root}/objects/${fanout}`;
    naming(repository.directory.pathOf(`objects/${fanout}`), () => {
      const fd = openIfPresent(path);
      if (fd === undefined) return;
      try {
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    });
  }
}

function openIfPresent(path: string): number | undefined {
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
