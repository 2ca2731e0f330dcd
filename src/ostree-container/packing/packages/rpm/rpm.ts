/** rpm: where its databases lie, and which of them can be read. */
import type { Checksum } from '../../../../ostree/index.ts';
import type { DatabaseFiles } from '../database-text.ts';
import { type PackageDatabase, pathCounter, type UnreadDatabase } from '../package.ts';
import { rpmPackage } from './rpm-package.ts';
import { RPMDB_LIMIT, readRpmHeaders } from './sqlite.ts';

export const RPM_FOLDERS: readonly string[] = ['/usr/lib/sysimage/rpm', '/usr/share/rpm', '/var/lib/rpm'];

const UNREAD: readonly (readonly [file: string, reason: string])[] = [
  ['Packages.db', 'a database of the kind "ndb" is not read'],
  ['Packages', 'a database of the kind "bdb", of rpm before 4.16, is not read'],
];

/** The same file is often found at two paths: each is read once. @throws PackingError PACKAGE_DATABASE, TOO_LARGE */
export async function readRpm(
  files: DatabaseFiles,
  signal: AbortSignal,
): Promise<{ readonly databases: PackageDatabase[]; readonly unread: UnreadDatabase[] }> {
  const [databases, unread]: [PackageDatabase[], UnreadDatabase[]] = [[], []];
  const seen = new Set<Checksum>();
  for (const folder of RPM_FOLDERS) {
    signal.throwIfAborted();
    const at = files.tree.folder(folder)?.path;
    const checksum = at === undefined ? undefined : files.tree.file(`${at}/rpmdb.sqlite`);
    if (at !== undefined) unread.push(...(checksum === undefined ? foreign(files, at, seen) : []));
    if (at === undefined || checksum === undefined || seen.has(checksum)) continue;
    seen.add(checksum);
    const log = files.tree.file(`${at}/rpmdb.sqlite-wal`);
    if (log !== undefined && files.tree.size(log) > 0) {
      unread.push({ path: `${at}/rpmdb.sqlite`, reason: 'changes lie in rpmdb.sqlite-wal: it was not closed' });
      continue;
    }
    databases.push(await readDatabase(files, `${at}/rpmdb.sqlite`));
  }
  return { databases, unread };
}

async function readDatabase(files: DatabaseFiles, path: string): Promise<PackageDatabase> {
  const bytes = (await files.bytes(path, RPMDB_LIMIT)) ?? new Uint8Array();
  const blobs = await readRpmHeaders(bytes, path);
  const count = pathCounter(path);
  const packages = blobs.map((blob, i) => {
    const made = rpmPackage(blob, `${path} package ${i + 1}`);
    count(made.paths.length);
    return made;
  });
  return { kind: 'rpm', path, packages };
}

function foreign({ tree }: DatabaseFiles, folder: string, seen: Set<Checksum>): UnreadDatabase[] {
  return UNREAD.flatMap(([file, reason]) => {
    const checksum = tree.file(`${folder}/${file}`);
    if (checksum === undefined || seen.has(checksum)) return [];
    seen.add(checksum);
    return { path: `${folder}/${file}`, reason };
  });
}
