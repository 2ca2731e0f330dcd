/** dpkg: `status`, `diversions`, and a list of paths for each package. */
import { damaged } from '../error.ts';
import type { Folder } from '../tree/commit-tree.ts';
import { type DatabaseFiles, linesOf } from './database-text.ts';
import { ChangelogReader } from './dpkg-changelog.ts';
import { type DpkgEntry, parseDpkgStatus } from './dpkg-status.ts';
import { type Package, type PackageDatabase, pathCounter } from './package.ts';

/** Where dpkg keeps it, and where images that are not changed in place put it, out of `/var`. */
export const DPKG_FOLDERS: readonly string[] = [
  '/var/lib/dpkg',
  '/usr/lib/sysimage/dpkg',
  '/usr/share/dpkg/database',
  '/usr/lib/dpkg/db',
  '/usr/share/factory/var/lib/dpkg',
];

const STATUS_LIMIT = 128 * 2 ** 20;
const LIST_LIMIT = 32 * 2 ** 20;

/** Undefined when there is none in this folder. @throws PackingError PACKAGE_DATABASE, TOO_LARGE */
export async function readDpkg(
  files: DatabaseFiles,
  folder: Folder,
  signal: AbortSignal,
): Promise<PackageDatabase | undefined> {
  const path = `${folder.path}/status`;
  const status = await files.text(path, STATUS_LIMIT);
  if (status === undefined) return undefined;
  const entries = parseDpkgStatus(status, path);
  const diversions = parseDiversions(await files.text(`${folder.path}/diversions`, LIST_LIMIT), folder.path);
  const native = nativeArchitecture(entries);
  const own = ownFiles(files.tree.folder(`${folder.path}/info`));
  const changelogs = new ChangelogReader(files.tree);
  const packages: Package[] = [];
  const count = pathCounter(folder.path);
  for (const entry of entries) {
    signal.throwIfAborted();
    const paths = await readList(files, folder.path, entry, count);
    const real = paths.map((file) => diverted(diversions, file, entry.name));
    const name = [native, 'all'].includes(entry.architecture) ? entry.name : `${entry.name}:${entry.architecture}`;
    packages.push({
      name,
      identifier: `${entry.name}_${entry.version}_${entry.architecture}`,
      source: entry.source,
      changeTimes: await changelogs.read(entry.name),
      paths: real.concat(own.get(entry.fileName) ?? own.get(entry.name) ?? []),
    });
  }
  return { kind: 'dpkg', path: folder.path, packages };
}

/** One path a line; the first is `/.`. Databases of older versions do not have the architecture in the file name. */
async function readList(
  files: DatabaseFiles,
  folder: string,
  { name, fileName }: DpkgEntry,
  count: (paths: number) => void,
): Promise<string[]> {
  const text =
    (await files.text(`${folder}/info/${fileName}.list`, LIST_LIMIT)) ??
    (await files.text(`${folder}/info/${name}.list`, LIST_LIMIT)) ??
    '';
  const paths: string[] = [];
  for (const line of linesOf(text)) {
    if (!line.startsWith('/')) continue;
    count(1);
    paths.push(line);
  }
  return paths;
}

/** A desktop has some fifty. */
const MOST_DIVERSIONS = 100_000;

interface Diversion {
  readonly to: string;
  /** Whose own file keeps its name; `:` for the administrator. */
  readonly by: string;
}

/** Three lines each: the path, what it was renamed to, the package that did it. */
function parseDiversions(text: string | undefined, folder: string): ReadonlyMap<string, Diversion> {
  const what = `${folder}/diversions`;
  const diversions = new Map<string, Diversion>();
  let [lines, last]: [string[], string] = [[], ''];
  for (const line of linesOf(text ?? '')) {
    last = line;
    const [path, to, by] = lines.concat(line);
    lines = by === undefined ? [...lines, line] : [];
    if (path !== undefined && to !== undefined && by !== undefined) diversions.set(path, { to, by });
    if (diversions.size > MOST_DIVERSIONS) throw damaged(what, `at most ${MOST_DIVERSIONS} diversions`, 'more');
  }
  // What is behind the last line break is no line.
  if (last !== '' || lines.length !== 1) throw damaged(what, 'three lines each', 'others');
  return diversions;
}

function diverted(diversions: ReadonlyMap<string, Diversion>, path: string, name: string): string {
  const diversion = diversions.get(path);
  return diversion === undefined || diversion.by === name ? path : diversion.to;
}

/** That of most packages; the others carry theirs in their names, as dpkg prints them. */
function nativeArchitecture(entries: readonly DpkgEntry[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { architecture } of entries) {
    if (architecture !== 'all') counts.set(architecture, (counts.get(architecture) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))[0]?.[0];
}

/** What the database itself keeps of a package (`info/NAME.list`, scripts, checksums) changes when the package does. */
function ownFiles(info: Folder | undefined): ReadonlyMap<string, readonly string[]> {
  const own = new Map<string, string[]>();
  for (const name of info?.files.keys() ?? []) {
    const owner = name.slice(0, name.lastIndexOf('.'));
    const list = own.get(owner);
    if (list === undefined) own.set(owner, [`${info?.path}/${name}`]);
    else list.push(`${info?.path}/${name}`);
  }
  return own;
}
