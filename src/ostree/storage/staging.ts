/**
 * The private directory of a transaction: `tmp/staging-<bootid>-XXXXXX`, held by an exclusive lock on a file beside
 * it. One that a killed run of this boot left behind is taken over: what has an object's name in it is whole.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { settledPath } from '../../linux/files/settled-path.ts';
import { tryOfdLock } from '../../linux/processes/lock.ts';
import { parseObjectName } from '../objects/object-type.ts';

export interface Staging {
  readonly name: string;
  /** For calls, in all threads. */
  readonly path: string;
  /** It was there: objects of a killed run may be in it. */
  readonly isReused: boolean;
  /** Remove it with everything in it, and its lock. */
  remove(): void;
  /** Leave it for the next run of this boot. */
  keep(): void;
  close(): void;
}

const PREFIX = 'staging-';
const LOCK = '-lock';

export function bootId(): string {
  const given = process.env['OSTREE_BOOTID'];
  return given ?? fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

export function openStaging(tmp: Directory): Staging {
  const boot = `${PREFIX}${bootId()}-`;
  for (const name of stagingNames(tmp).filter((each) => each.startsWith(boot))) {
    const staging = tryStaging(tmp, name);
    if (staging !== undefined) return staging;
  }
  for (;;) {
    const staging = tryStaging(tmp, `${boot}${randomName()}`);
    if (staging !== undefined) return staging;
  }
}

/** Of directories, and of locks alone: their owner was killed before it made the directory, or after it removed it. */
function stagingNames(tmp: Directory): string[] {
  const names = tmp.list().filter((name) => name.startsWith(PREFIX));
  return [...new Set(names.map((name) => (name.endsWith(LOCK) ? name.slice(0, -LOCK.length) : name)))].sort();
}

/** Undefined when it is somebody else's. */
function tryStaging(tmp: Directory, name: string): Staging | undefined {
  const taken = take(tmp, name);
  if (taken === undefined) return undefined;
  try {
    if (tmp.lstat(name)?.isDirectory() === true) {
      removeUnfinished(tmp.at(name));
      return stagingAt(tmp, name, taken, true);
    }
    fs.mkdirSync(tmp.at(name), 0o775);
    return stagingAt(tmp, name, taken, false);
  } catch (error) {
    taken.release();
    if (codeOf(error) !== 'EEXIST') throw error;
    return undefined;
  }
}

/** Temporary names of the killed run, beside what it had finished in the two-digit directories. */
function removeUnfinished(path: string): void {
  for (const fanout of fs.readdirSync(path)) {
    const isFanout = /^[0-9a-f]{2}$/.test(fanout) && fs.lstatSync(`${path}/${fanout}`).isDirectory();
    if (!isFanout) removeTree(`${path}/${fanout}`);
    else {
      for (const name of fs.readdirSync(`${path}/${fanout}`)) {
        if (parseObjectName(fanout, name) === undefined) removeTree(`${path}/${fanout}/${name}`);
      }
    }
  }
}

/** Remove what other boots and killed runs left in `tmp`; never `cache`, never what is locked. Spec 10, step 7. */
export function cleanTmp(tmp: Directory, expiryMs: number, now: number): void {
  const ours = `${PREFIX}${bootId()}-`;
  for (const name of stagingNames(tmp)) if (!name.startsWith(ours)) removeUnlocked(tmp, name);
  for (const name of tmp.list()) {
    if (name === 'cache' || name.startsWith(PREFIX)) continue;
    const stats = tmp.lstat(name);
    if (stats !== undefined && now - stats.mtimeMs > expiryMs) removeTree(tmp.at(name));
  }
}

function removeUnlocked(tmp: Directory, name: string): void {
  const taken = take(tmp, name);
  if (taken === undefined) return;
  removeTree(tmp.at(name));
  taken.remove();
}

interface Taken {
  /** Close, and leave the lock file. */
  release(): void;
  /** Remove the lock file, then close. */
  remove(): void;
}

/** Undefined when somebody else holds it, or it is another user's. */
function take(tmp: Directory, name: string): Taken | undefined {
  const lockName = `${name}${LOCK}`;
  for (;;) {
    const fd = openLock(tmp, lockName);
    if (fd === undefined) return undefined;
    let isHeld = false;
    try {
      if (!tryOfdLock(fd, 'exclusive')) return undefined;
      // The file may have been removed since it was opened: then the lock is on nothing.
      isHeld = tmp.lstat(lockName)?.ino === fs.fstatSync(fd).ino;
    } finally {
      if (!isHeld) fs.closeSync(fd);
    }
    if (!isHeld) continue;
    let isOpen = true;
    const release = (): void => {
      if (isOpen) fs.closeSync(fd);
      isOpen = false;
    };
    return {
      release,
      remove() {
        tmp.unlink(lockName);
        release();
      },
    };
  }
}

function openLock(tmp: Directory, lockName: string): number | undefined {
  try {
    return tmp.openFile(lockName, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  } catch (error) {
    // Only for one that is there: where none can be made, nobody can write at all.
    if (codeOf(error) === 'EACCES' && tmp.lstat(lockName) !== undefined) return undefined;
    throw error;
  }
}

function stagingAt(tmp: Directory, name: string, taken: Taken, isReused: boolean): Staging {
  const settled = settledPath(tmp.fd);
  return {
    name,
    path: settled === undefined ? tmp.at(name) : `${settled}/${name}`,
    isReused,
    remove() {
      removeTree(tmp.at(name));
      taken.remove();
    },
    keep: () => taken.release(),
    close: () => taken.release(),
  };
}

function removeTree(path: string): void {
  fs.rmSync(path, { recursive: true, force: true });
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

function randomName(): string {
  return [...randomBytes(6)].map((byte) => LETTERS[byte % LETTERS.length]).join('');
}
