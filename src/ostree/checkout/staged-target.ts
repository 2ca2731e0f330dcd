/**
 * A new target, filled beside its place under a name of its own. The lock on that directory tells the stage of a
 * running checkout from what a killed one left, which the next one to the same place removes.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { renameExclusive } from '../../linux/files/exclusive-rename.ts';
import { sha256 } from '../objects/checksum.ts';
import { targetExists } from './target.ts';

export interface StagedTarget {
  readonly fd: number;
  /** Give it its name. @throws OstreeError TARGET_EXISTS */
  publish(): void;
  /** Take it away, unless it was published; closes it in any case. */
  close(): void;
}

const DIRECTORY = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW;

export function stageTarget(parent: Directory, name: string): StagedTarget {
  const prefix = `.${Buffer.byteLength(name) <= 200 ? name : sha256(Buffer.from(name))}.checkout-`;
  for (const left of parent.list()) {
    if (left.startsWith(prefix)) removeUnlocked(parent, left);
  }
  const staged = `${prefix}${process.pid}`;
  fs.mkdirSync(parent.at(staged), 0o700);
  const fd = fs.openSync(parent.at(staged), DIRECTORY);
  systemCalls()?.flock(fd, 'exclusive');
  let isPublished = false;
  return {
    fd,
    publish() {
      rename(parent, staged, name);
      isPublished = true;
    },
    close() {
      fs.closeSync(fd);
      if (!isPublished) removeQuietly(parent, staged);
    },
  };
}

function rename(parent: Directory, staged: string, name: string): void {
  let isDone: boolean;
  try {
    isDone = renameExclusive({ directory: parent, name: staged }, { directory: parent, name });
  } catch (error) {
    // No renameat2 here. A plain rename takes the place of nothing but an empty directory.
    if (codeOf(error) !== 'EPERM') throw error;
    isDone = parent.lstat(name) === undefined;
    if (isDone) parent.rename(staged, parent, name);
  }
  if (!isDone) throw targetExists(parent.pathOf(name));
}

function removeUnlocked(parent: Directory, name: string): void {
  const directory = parent.openDirectory(name);
  if (directory === undefined) return;
  try {
    if (systemCalls()?.flock(directory.fd, 'exclusive') !== true) return;
    removeQuietly(parent, name);
  } finally {
    directory.close();
  }
}

function removeQuietly(parent: Directory, name: string): void {
  try {
    fs.rmSync(parent.at(name), { recursive: true, force: true });
  } catch {
    // What ended the checkout is the error to report; the next one to this place tries again.
  }
}
