/** The static deltas of a repository, and the indexes that tell clients which ones lead to a commit. Spec 8, 9.1. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import { posix } from 'node:path';
import { codeOf } from '../../base/error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { readBounded } from '../../linux/files/read.ts';
import { type DeltaDigests, decodeDeltaIndex, encodeDeltaIndex } from '../delta/index-file.ts';
import { type DeltaName, deltaIndexPath, deltaName, deltaPath, parseDeltaPath } from '../delta/names.ts';
import type { Checksum } from '../objects/checksum.ts';
import { compareNames } from '../objects/order.ts';
import type { Repository } from '../repository/repository.ts';
import { replaceInRepository } from '../storage/temporary.ts';

/** A delta takes some 100 bytes of it. */
const INDEX_LIMIT = 16 * 2 ** 20;
const CHUNK = 2 ** 20;

/** Every directory that is called like a delta, with a superblock in it or not, in no particular order. */
export function listDeltas(repository: Repository): DeltaName[] {
  return namesIn(`${repository.root}/deltas`).flatMap((fanout) =>
    namesIn(`${repository.root}/deltas/${fanout}`).flatMap((name) => parseDeltaPath(fanout, name) ?? []),
  );
}

/** SHA-256 of a superblock file; undefined when there is none. */
export function superblockDigest(repository: Repository, delta: DeltaName): Checksum | undefined {
  let fd: number;
  try {
    fd = fs.openSync(`${repository.root}/${deltaPath(delta)}/superblock`, fs.constants.O_RDONLY);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const hash = crypto.createHash('sha256');
    const room = Buffer.allocUnsafe(CHUNK); // parts may lie inside, and make it any size
    for (let count = fs.readSync(fd, room); count > 0; count = fs.readSync(fd, room)) {
      hash.update(room.subarray(0, count));
    }
    return hash.digest('hex');
  } finally {
    fs.closeSync(fd);
  }
}

/** The deltas with their digests, those to one commit beside each other: by FROM, the one from nothing last. */
export function digestDeltas(repository: Repository): ReadonlyMap<string, Checksum> {
  const last = '~';
  const sorted = listDeltas(repository).sort(
    (a, b) => compareNames(a.to, b.to) || compareNames(a.from ?? last, b.from ?? last),
  );
  return new Map(
    sorted.flatMap((delta): [string, Checksum][] => {
      const digest = superblockDigest(repository, delta);
      return digest === undefined ? [] : [[deltaName(delta), digest]];
    }),
  );
}

/**
 * Rewrite the indexes that are not what the deltas say, remove those of commits without deltas, and have
 * `core.indexed-deltas` say that there are indexes. Under the repository's lock, as the caller must see to.
 * @param only the one commit whose index is looked at
 * @returns all deltas and their digests, for the summary
 */
export function reindexDeltas(repository: Repository, only?: Checksum): ReadonlyMap<string, Checksum> {
  const digests = digestDeltas(repository);
  const wanted = new Map<string, Map<string, Checksum>>();
  for (const [name, digest] of digests) {
    const path = deltaIndexPath(name.slice(-64));
    const ofCommit = wanted.get(path) ?? new Map<string, Checksum>();
    wanted.set(path, ofCommit.set(name, digest));
  }
  const isMeant = (path: string): boolean => only === undefined || path === deltaIndexPath(only);
  for (const path of listIndexes(repository)) if (isMeant(path) && !wanted.has(path)) removeIndex(repository, path);
  for (const [path, ofCommit] of wanted) if (isMeant(path)) writeIndex(repository, path, ofCommit);
  if (!repository.config.indexedDeltas) repository.updateConfig((file) => file.set('core', 'indexed-deltas', 'true'));
  return digests;
}

/** Below the repository: `delta-indexes/ab/cdef….index`. */
export function listIndexes(repository: Repository): string[] {
  return namesIn(`${repository.root}/delta-indexes`).flatMap((fanout) =>
    namesIn(`${repository.root}/delta-indexes/${fanout}`)
      .filter((name) => /^[A-Za-z0-9+_]{41}\.index$/.test(name))
      .map((name) => `delta-indexes/${fanout}/${name}`),
  );
}

/** Undefined when there is none. @throws OstreeError DELTA_MALFORMED */
export function readIndex(repository: Repository, path: string): DeltaDigests | undefined {
  return inFolder(repository, path, (folder, name) => {
    const file = readBounded(folder, name, INDEX_LIMIT);
    return file === undefined ? undefined : decodeDeltaIndex(file.bytes, path);
  });
}

export function removeIndex(repository: Repository, path: string): void {
  inFolder(repository, path, (folder, name) => folder.unlink(name) && folder.sync());
}

function writeIndex(repository: Repository, path: string, digests: DeltaDigests): void {
  if (isSame(readUsable(repository, path), digests)) return;
  const [top = '', fanout = '', name = ''] = path.split('/');
  const parent = repository.directory.makeDirectory(top, 0o775);
  try {
    const directory = parent.makeDirectory(fanout, 0o775);
    try {
      replaceInRepository(repository, { directory, name }, encodeDeltaIndex(digests), 0o644);
    } finally {
      directory.close();
    }
  } finally {
    parent.close();
  }
}

/** One that cannot be read is as if it were absent: it is about to be written anew. */
function readUsable(repository: Repository, path: string): DeltaDigests | undefined {
  try {
    return readIndex(repository, path);
  } catch (error) {
    if (codeOf(error) === 'DELTA_MALFORMED' || codeOf(error) === 'TOO_LARGE') return undefined;
    throw error;
  }
}

function isSame(a: DeltaDigests | undefined, b: DeltaDigests): boolean {
  return a !== undefined && a.size === b.size && [...b].every(([name, digest]) => a.get(name) === digest);
}

/** Undefined when a folder above is absent. */
function inFolder<T>(repository: Repository, path: string, use: (folder: Directory, name: string) => T): T | undefined {
  const [top = '', fanout = ''] = path.split('/');
  const parent = repository.directory.openDirectory(top);
  try {
    const folder = parent?.openDirectory(fanout);
    try {
      return folder === undefined ? undefined : use(folder, posix.basename(path));
    } finally {
      folder?.close();
    }
  } finally {
    parent?.close();
  }
}

/** Of a directory; none when it is absent, or no directory. */
function namesIn(path: string): string[] {
  try {
    return fs.readdirSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}
