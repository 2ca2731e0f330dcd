/** A folder for one run alone. What a killed run has left in its own goes when the next one begins. */
import fs from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../base/error.ts';
import { temporaryFolder } from '../../../linux/files/nameless-file.ts';
import { tryOfdLock } from '../../../linux/processes/lock.ts';

const PREFIX = 'ostree-container-build-';
/** Held as long as the folder is in use. */
const LOCK = '.lock';
const { O_CREAT, O_NOFOLLOW, O_RDWR } = fs.constants;

/**
 * @param below as large as the image; default: `TMPDIR`, else `/var/tmp`
 * @param use sees the folder until it returns
 */
export async function withWorkFolder<T>(use: (folder: string) => Promise<T>, below = temporaryFolder()): Promise<T> {
  removeLeftovers(below);
  const { folder, lock } = makeFolder(below);
  try {
    return await use(folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.closeSync(lock);
  }
}

/** Another run may take it for a leftover until its lock is held. */
function makeFolder(below: string): { readonly folder: string; readonly lock: number } {
  for (;;) {
    const folder = fs.mkdtempSync(join(below, PREFIX)); // mode 0700
    const lock = takeLock(folder, O_CREAT);
    if (lock !== undefined) return { folder, lock };
  }
}

function removeLeftovers(below: string): void {
  for (const name of fs.readdirSync(below)) {
    const folder = join(below, name);
    if (!name.startsWith(PREFIX) || !isOwn(folder)) continue;
    const lock = takeLock(folder, 0);
    if (lock === undefined) continue;
    fs.rmSync(folder, { recursive: true, force: true });
    fs.closeSync(lock);
  }
}

/** `TMPDIR` is for everybody. */
function isOwn(folder: string): boolean {
  const stats = fs.lstatSync(folder, { throwIfNoEntry: false });
  return stats?.isDirectory() === true && stats.uid === process.getuid?.();
}

/** Undefined when somebody has it, or the folder is gone. */
function takeLock(folder: string, create: number): number | undefined {
  const path = join(folder, LOCK);
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDWR | O_NOFOLLOW | create, 0o600);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const isHeld = tryOfdLock(fd, 'exclusive');
  if (isHeld && fs.lstatSync(path, { throwIfNoEntry: false })?.ino === fs.fstatSync(fd).ino) return fd;
  fs.closeSync(fd);
  return undefined;
}
