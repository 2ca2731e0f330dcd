/**
 * A directory for the time of one run. A lock on it tells it from what a killed run left, which the next one removes.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../base/error.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { naming } from '../../linux/calls/system-error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { removeTree } from '../../linux/files/remove-tree.ts';

const PREFIX = 'os-containers-run-';
/** Repositories are rid of what nobody has touched in their `tmp` for a day. */
const TOUCH_MS = 3_600_000;

export interface TemporaryDirectory {
  readonly path: string;
  /** Removed with all that is in it. */
  remove(): void;
}

/** @param above is made when it is absent */
export function makeTemporaryDirectory(above: string): TemporaryDirectory {
  naming(above, () => fs.mkdirSync(above, { recursive: true, mode: 0o700 }));
  const parent = openDirectory(above);
  try {
    removeLeftovers(parent);
    const { name, directory } = makeLocked(parent);
    const { fd } = directory;
    const touching = setInterval(() => fs.futimesSync(fd, new Date(), new Date()), TOUCH_MS).unref();
    return {
      path: join(parent.path, name),
      remove() {
        clearInterval(touching);
        removeTree(parent, name);
        directory.close();
        parent.close();
      },
    };
  } catch (error) {
    parent.close();
    throw error;
  }
}

/** Between making it and locking it another run may take it for a leftover: then there is a next one. */
function makeLocked(parent: Directory): { readonly name: string; readonly directory: Directory } {
  for (;;) {
    const name = `${PREFIX}${randomBytes(4).toString('hex')}`;
    naming(parent.pathOf(name), () => fs.mkdirSync(parent.at(name), 0o711));
    const directory = parent.openDirectory(name);
    if (directory === undefined) continue;
    const isLocked = systemCalls()?.flock(directory.fd, 'exclusive') !== false;
    if (isLocked && parent.lstat(name)?.ino === directory.stat().ino) return { name, directory };
    directory.close();
  }
}

function removeLeftovers(parent: Directory): void {
  for (const name of parent.list().filter((each) => each.startsWith(PREFIX))) {
    let directory: Directory | undefined;
    try {
      directory = parent.openDirectory(name);
      if (directory === undefined || systemCalls()?.flock(directory.fd, 'exclusive') !== true) continue;
      removeTree(parent, name);
    } catch (error) {
      // Whatever keeps it there keeps nobody from running a command; the next run tries again.
      if (codeOf(error) === undefined) throw error;
    } finally {
      directory?.close();
    }
  }
}
