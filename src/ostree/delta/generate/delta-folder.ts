/** Where the files of a new delta go: unseen until all are there and flushed. */
import fs from 'node:fs';
import { basename, dirname } from 'node:path';
import { codeOf } from '../../../base/error.ts';
import { systemCalls } from '../../../linux/calls/ffi.ts';
import { naming } from '../../../linux/calls/system-error.ts';
import { type Directory, openDirectory } from '../../../linux/files/directory.ts';
import { writeAll } from '../../../linux/files/write.ts';
import type { Repository } from '../../repository/repository.ts';
import { type DeltaName, deltaPath } from '../names.ts';

export interface DeltaFolder {
  /** Of the superblock, for messages. */
  readonly path: string;
  putPart(index: number, file: Uint8Array): void;
  /** Everything gets its name. */
  publish(superblock: Uint8Array): void;
  /** Nothing stays. After `publish` it does nothing. */
  discard(): void;
}

const SUPERBLOCK = 'superblock';

/** In the repository: a directory that is renamed as a whole. One that is there is replaced. */
export function openDeltaFolder(repository: Repository, name: DeltaName): DeltaFolder {
  const path = deltaPath(name);
  const tmp = repository.directory.makeDirectory('tmp', 0o775);
  const { fsync } = repository.config;
  const temporary = fs.mkdtempSync(tmp.at('delta-'));
  const folder = basename(temporary);
  let isOpen = true;
  const close = (): void => {
    isOpen = false;
    tmp.close();
  };
  return {
    path: `${path}/${SUPERBLOCK}`,
    putPart: (index, file) => writeFile(`${temporary}/${index}`, file, fsync),
    publish(superblock) {
      writeFile(`${temporary}/${SUPERBLOCK}`, superblock, fsync);
      fs.chmodSync(temporary, 0o755);
      if (fsync) syncPath(temporary);
      const [top = '', fanout = '', last = ''] = path.split('/');
      const deltas = repository.directory.makeDirectory(top, 0o775);
      try {
        const parent = deltas.makeDirectory(fanout, 0o775);
        try {
          moveInto(tmp, folder, parent, last);
          if (fsync) for (const each of [parent, deltas, repository.directory]) each.sync(); // either may be new
        } finally {
          parent.close();
        }
      } finally {
        deltas.close();
      }
      fs.rmSync(temporary, { recursive: true, force: true }); // the one that was replaced
      close();
    },
    discard() {
      if (!isOpen) return;
      fs.rmSync(temporary, { recursive: true, force: true });
      close();
    },
  };
}

/** What is replaced ends up under the temporary name. */
function moveInto(from: Directory, name: string, to: Directory, target: string): void {
  naming(to.pathOf(target), () => {
    try {
      fs.renameSync(from.at(name), to.at(target));
    } catch (error) {
      const code = codeOf(error);
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      if (!exchange(from.at(name), to.at(target))) replaceInSteps(from, name, to, target);
    }
  });
}

/** False without the call: clients never see a state between. */
function exchange(a: string, b: string): boolean {
  const rename = systemCalls()?.renameat2;
  if (rename === undefined) return false;
  try {
    rename(0, a, 0, b, 'exchange'); // absolute paths: the descriptors are not looked at
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EINVAL' || code === 'ENOSYS') return false;
    throw error;
  }
}

/** In between there is no delta, which is no harm: clients fetch objects then. */
function replaceInSteps(from: Directory, name: string, to: Directory, target: string): void {
  const old = `${name}-old`;
  fs.renameSync(to.at(target), from.at(old));
  fs.renameSync(from.at(name), to.at(target));
  fs.rmSync(from.at(old), { recursive: true, force: true });
}

/** A superblock file of any name, its parts `0`, `1` ... beside it: the superblock last. */
export function openDeltaFile(filename: string): DeltaFolder {
  const directory = openDirectory(dirname(filename));
  const name = basename(filename);
  const temporaryOf = (index: number | string): string => `.${name}-${process.pid}-${index}`;
  const parts: number[] = [];
  let isOpen = true;
  return {
    path: filename,
    putPart(index, file) {
      parts.push(index);
      writeFile(directory.at(temporaryOf(index)), file, true);
    },
    publish(superblock) {
      writeFile(directory.at(temporaryOf(SUPERBLOCK)), superblock, true);
      for (const index of parts) directory.rename(temporaryOf(index), directory, String(index));
      directory.sync();
      directory.rename(temporaryOf(SUPERBLOCK), directory, name);
      directory.sync();
      isOpen = false;
      directory.close();
    },
    discard() {
      if (!isOpen) return;
      isOpen = false;
      for (const index of [...parts, SUPERBLOCK]) directory.unlink(temporaryOf(index));
      directory.close();
    },
  };
}

/** Counts only. */
export function openNowhere(path: string): DeltaFolder {
  return { path, putPart: () => undefined, publish: () => undefined, discard: () => undefined };
}

function writeFile(path: string, bytes: Uint8Array, fsync: boolean): void {
  const fd = fs.openSync(path, 'w', 0o644);
  try {
    writeAll(fd, bytes);
    fs.fchmodSync(fd, 0o644);
    if (fsync) fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function syncPath(path: string): void {
  const fd = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
