/** What the databases of package managers have in common. */

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
