/**
 * A directory below `tmp/` of this process alone, for files that are renamed to where they belong: a killed run leaves
 * nothing beside a ref or the config, and what it leaves here goes with the next run.
 */
import fs from 'node:fs';
import type { Directory } from '../../linux/files/directory.ts';
import { type Place, replaceFile } from '../../linux/files/durable.ts';
import type { Repository } from '../repository/repository.ts';
import { openStaging } from './staging.ts';

/** Its one name there: a two-digit ref would be taken for a directory of objects. */
export const TEMPORARY = '.new';

export interface Temporary {
  readonly directory: Directory;
  /** Remove it, with what is still in it. */
  close(): void;
}

export function openTemporary(repository: Repository): Temporary {
  const tmp = repository.directory.makeDirectory('tmp', 0o775);
  try {
    const staging = openStaging(tmp);
    const directory = tmp.openDirectory(staging.name);
    if (directory === undefined) throw new Error('unreachable: a staging directory that was just made');
    return {
      directory,
      close() {
        // One taken over may hold objects of a killed run, which the next transaction goes on with.
        const holdsObjects = staging.isReused && isInhabited(directory);
        directory.close();
        if (holdsObjects) staging.keep();
        else staging.remove();
        tmp.close();
      },
    };
  } catch (error) {
    tmp.close();
    throw error;
  }
}

/** What is left of a finished transaction may be empty two-digit directories. */
function isInhabited(directory: Directory): boolean {
  const isFanout = (name: string): boolean => directory.lstat(name)?.isDirectory() === true;
  return directory.list().some((name) => isFanout(name) && fs.readdirSync(directory.at(name)).length > 0);
}

export function withTemporary<T>(repository: Repository, work: (directory: Directory) => T): T {
  const temporary = openTemporary(repository);
  try {
    return work(temporary.directory);
  } finally {
    temporary.close();
  }
}

/** A file of the repository, durably, with this mode. @throws CodedError DISK_FULL; SystemError naming the file */
export function replaceInRepository(repository: Repository, target: Place, bytes: Uint8Array, mode: number): void {
  withTemporary(repository, (directory) => replaceFile(target, { directory, name: TEMPORARY }, bytes, mode));
}
