/** The package databases in a commit. */
import type { CommitTree } from '../tree/commit-tree.ts';
import { APK_FOLDERS, APK_LIMIT, parseApkInstalled } from './apk.ts';
import { DatabaseFiles } from './database-text.ts';
import { DPKG_FOLDERS, readDpkg } from './dpkg.ts';
import type { PackageDatabase, UnreadDatabase } from './package.ts';
import { readRpm } from './rpm/rpm.ts';

export interface FoundDatabases {
  readonly databases: readonly PackageDatabase[];
  /** For a note to the user each. */
  readonly unread: readonly UnreadDatabase[];
}

/**
 * Nothing is run and nothing outside of the commit is looked at. Each database is read once, by whatever paths it can
 * be reached.
 * @throws PackingError PACKAGE_DATABASE, TOO_LARGE; OstreeError OBJECT_MISSING, OBJECT_MALFORMED
 */
export async function readPackages(tree: CommitTree, signal: AbortSignal): Promise<FoundDatabases> {
  const files = new DatabaseFiles(tree);
  const rpm = await readRpm(files, signal);
  const databases = [...(await readAllDpkg(files, signal)), ...(await readAllApk(files)), ...rpm.databases];
  return { databases, unread: rpm.unread };
}

async function readAllDpkg(files: DatabaseFiles, signal: AbortSignal): Promise<PackageDatabase[]> {
  const found = new Map<string, PackageDatabase>();
  for (const path of DPKG_FOLDERS) {
    const folder = files.tree.folder(path);
    if (folder === undefined || found.has(folder.path)) continue;
    const database = await readDpkg(files, folder, signal);
    if (database !== undefined) found.set(folder.path, database);
  }
  return [...found.values()];
}

async function readAllApk(files: DatabaseFiles): Promise<PackageDatabase[]> {
  const found = new Map<string, PackageDatabase>();
  for (const folder of APK_FOLDERS) {
    const at = files.tree.folder(folder)?.path;
    if (at === undefined) continue;
    const path = `${at}/installed`;
    const checksum = files.tree.file(path);
    const text = checksum === undefined || found.has(checksum) ? undefined : await files.text(path, APK_LIMIT);
    if (checksum === undefined || text === undefined) continue;
    found.set(checksum, { kind: 'apk', path, packages: parseApkInstalled(text, path) });
  }
  return [...found.values()];
}
