/**
 * Small files and links replaced as a whole: after a crash or a power cut at any point the name holds the old or the
 * new content. All calls are synchronous, so they come one after the other from the calling thread.
 */
import fs from 'node:fs';
import { naming } from '../calls/system-error.ts';
import type { Directory } from './directory.ts';
import { writeAll } from './write.ts';

export { StagedFile } from './staged-file.ts';
export { freeBytes, writeAll } from './write.ts';

const { O_CREAT, O_EXCL, O_WRONLY } = fs.constants;

export interface Place {
  readonly directory: Directory;
  readonly name: string;
}

/**
 * Replace (or make) a regular file of exactly this mode. What lies at `temporary`, on the same file system, is a
 * leftover of a killed run and goes. The caller holds a lock: two writers would share the temporary name.
 * @throws CodedError DISK_FULL; SystemError naming the file
 */
export function replaceFile(target: Place, temporary: Place, bytes: Uint8Array, mode: number): void {
  temporary.directory.unlink(temporary.name);
  try {
    writeNew(temporary, bytes, mode);
    move(temporary, target);
  } catch (error) {
    removeLeftover(temporary);
    throw error;
  }
}

/** The same for a symbolic link. It needs no flush of its own: its text is part of the directory's transaction. */
export function replaceLink(target: Place, temporary: Place, linkText: string): void {
  temporary.directory.unlink(temporary.name);
  try {
    temporary.directory.symlink(linkText, temporary.name);
    move(temporary, target);
  } catch (error) {
    removeLeftover(temporary);
    throw error;
  }
}

function writeNew({ directory, name }: Place, bytes: Uint8Array, mode: number): void {
  const fd = directory.openFile(name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  try {
    naming(directory.pathOf(name), () => {
      writeAll(fd, bytes);
      fs.fchmodSync(fd, mode);
      fs.fsyncSync(fd);
    });
  } finally {
    fs.closeSync(fd);
  }
}

function move(from: Place, to: Place): void {
  from.directory.rename(from.name, to.directory, to.name);
  syncBoth(to.directory, from.directory);
}

/** The directory that gained a name first: until it is flushed the change is not there. */
export function syncBoth(gained: Directory, lost: Directory): void {
  gained.sync();
  if (gained.fd !== lost.fd) lost.sync();
}

function removeLeftover({ directory, name }: Place): void {
  try {
    directory.unlink(name);
  } catch {
    // The error that brought us here is the one to report; the next run removes the leftover first thing.
  }
}
