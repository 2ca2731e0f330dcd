/** What the databases of package managers have in common. */
import { damaged } from '../error.ts';

export interface Package {
  /** What a newer version is found by. Two versions that are installed side by side may share it. */
  readonly name: string;
  /** With version and architecture; unique in its database. */
  readonly identifier: string;
  /** Of the source package that it was built from. */
  readonly source: string;
  /** Seconds since the epoch, newest first; empty when nothing is known. */
  readonly changeTimes: readonly number[];
  /** Of its files and links, maybe directories too, as the database has them: links on the way are not resolved. */
  readonly paths: readonly string[];
}

/** Of all packages of one database together. */
export const MOST_PATHS = 2_000_000;
/** PATH_MAX: what is longer names nothing. */
const LONGEST_PATH = 4096;

/** A file by the two parts that databases have of it; undefined when it can be none: many may share a huge folder. */
export function joinedPath(folder: string, name: string): string | undefined {
  return folder.length + name.length > LONGEST_PATH ? undefined : folder + name;
}

/** For as many paths as there may be. @throws PackingError PACKAGE_DATABASE */
export function pathCounter(what: string): (paths: number) => void {
  let left = MOST_PATHS;
  return (paths) => {
    left -= paths;
    if (left < 0) throw damaged(what, `at most ${MOST_PATHS} paths`, 'more');
  };
}

export interface PackageDatabase {
  readonly kind: 'dpkg' | 'apk' | 'rpm';
  /** Where in the commit it was found. */
  readonly path: string;
  readonly packages: readonly Package[];
}

/** A database that is there and was not read; said to the user, no error. */
export interface UnreadDatabase {
  readonly path: string;
  readonly reason: string;
}
