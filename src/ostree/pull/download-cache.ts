/**
 * `tmp/cache/tako/`: large contents while they are received, so that a pull that was ended goes on where it stopped.
 * One pull at a time owns it; a second one beside it downloads under names of its own. Laid out as `objects/` is.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { tryOfdLock } from '../../linux/processes/lock.ts';
import type { Repository } from '../repository/repository.ts';
import type { ObjectPlace } from '../storage/object-reader.ts';

const LOCK = '.lock';
const OWN = /^own-[0-9]+$/;

export interface DownloadCache {
  /** Where downloads lie, as a place that jobs read from. */
  readonly place: ObjectPlace;
  readonly directory: Directory;
  /** The two-digit directory of an object. The caller closes it. */
  fanout(digits: string): Directory;
  close(): void;
}

export function openDownloadCache(repository: Repository, now = Date.now()): DownloadCache {
  const tmp = repository.directory.makeDirectory('tmp', 0o775);
  const cache = closing(tmp, () => tmp.makeDirectory('cache', 0o775));
  const shared = closing(cache, () => cache.makeDirectory('tako', 0o700));
  const fd = shared.openFile(LOCK, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  if (tryOfdLock(fd, 'exclusive')) {
    removeLeftovers(shared, now - repository.config.tmpExpiryMs);
    return cacheAt(shared, () => fs.closeSync(fd));
  }
  fs.closeSync(fd);
  const name = `own-${process.pid}`;
  const own = closing(shared, () => shared.makeDirectory(name, 0o700));
  return cacheAt(own, () => fs.rmSync(`/proc/self/fd/${own.fd}/../${name}`, { recursive: true, force: true }));
}

function closing<T>(directory: Directory, work: () => T): T {
  try {
    return work();
  } finally {
    directory.close();
  }
}

function cacheAt(directory: Directory, release: () => void): DownloadCache {
  return {
    directory,
    place: { path: `/proc/self/fd/${directory.fd}`, mode: 'archive' },
    fanout: (digits) => directory.makeDirectory(digits, 0o700),
    close() {
      release();
      directory.close();
    },
  };
}

/** Parts that nobody came back for, and what second pulls that were killed have left. */
function removeLeftovers(directory: Directory, before: number): void {
  for (const name of directory.list()) {
    if (name === LOCK) continue;
    if (OWN.test(name)) {
      if (!isRunning(Number(name.slice(4)))) fs.rmSync(directory.at(name), { recursive: true, force: true });
      continue;
    }
    const fanout = directory.openDirectory(name);
    if (fanout === undefined) continue;
    try {
      for (const part of fanout.list()) {
        if ((fanout.lstat(part)?.mtimeMs ?? before) < before) fanout.unlink(part);
      }
      if (fanout.list().length === 0) directory.removeDirectory(name);
    } finally {
      fanout.close();
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
