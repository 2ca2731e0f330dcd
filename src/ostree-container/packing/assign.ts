/** Every content object of a commit to a component: its package, or a part of the tree by path and size. */
import { type Checksum, type ObjectReader, Reach, reachTree } from '../../ostree/index.ts';
import { ALWAYS_CHANGING, type Component, type ComponentMapping, compareText, UNPACKAGED } from './components.ts';
import type { Package, PackageDatabase, UnreadDatabase } from './packages/package.ts';
import { readPackages } from './packages/read-packages.ts';
import { changeCounts } from './tree/change-count.ts';
import { CommitTree } from './tree/commit-tree.ts';
import { groupByPath, type PathGroup, WORTH } from './tree/path-groups.ts';

export interface CommitComponents extends ComponentMapping {
  readonly databases: readonly Pick<PackageDatabase, 'kind' | 'path'>[];
  readonly unread: readonly UnreadDatabase[];
}

/** In this time before the newest change of all changes are counted. */
const YEAR = 365 * 24 * 3600;

/**
 * The components of a commit, from the package databases in it. What belongs to no package and is small is the
 * component `unpackaged`; large files and folders of that kind are components of their own. Without a database all of
 * the tree is divided by path, and the commits before tell how often which part changes.
 * @throws PackingError PACKAGE_DATABASE, TOO_LARGE; OstreeError OBJECT_MISSING, OBJECT_MALFORMED
 */
export async function componentsOfCommit(
  reader: ObjectReader,
  commit: Checksum,
  signal: AbortSignal,
): Promise<CommitComponents> {
  const root = reader.commit(commit);
  const tree = new CommitTree(reader, root);
  const { databases, unread } = await readPackages(tree, signal);
  const packages = databases.flatMap((database) => database.packages);
  const owners = ownersOf(tree, packages);
  signal.throwIfAborted();
  const isPackaged = owners.size > 0;
  const groups = groupByPath(tree, (checksum) => !owners.has(checksum));
  const counts = changeCounts(reader, commit, groups);
  const databasePaths = new Set(databases.map(({ path }) => path));
  const drafts = packageDrafts(owners, packages, root.timestamp);
  for (const [i, group] of groups.entries()) {
    const isOwn = !isPackaged || (group.size >= WORTH && !holdsDatabase(group, databasePaths));
    addGroup(drafts, group, isOwn ? (counts[i] ?? 0) : undefined);
  }
  return { ...mappingOf(tree, drafts), databases: databases.map(({ kind, path }) => ({ kind, path })), unread };
}

/** Sizes of the content of every content object of a commit. @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED */
export function contentSizes(reader: ObjectReader, commit: Checksum): ReadonlyMap<Checksum, number> {
  const root = reader.commit(commit);
  const reach = new Reach();
  reachTree(reader, root, reach);
  const tree = new CommitTree(reader, root);
  return new Map([...reach.files].map((checksum) => [checksum, tree.size(checksum)]));
}

/** A content that several packages have goes to the one that comes first by name: the same one in every build. */
function ownersOf(tree: CommitTree, packages: readonly Package[]): Map<Checksum, Package> {
  const owners = new Map<Checksum, Package>();
  const sorted = [...packages].sort((a, b) => compareText(a.name, b.name) || compareText(a.identifier, b.identifier));
  for (const one of sorted) {
    for (const path of one.paths) {
      const checksum = tree.file(path);
      if (checksum !== undefined && !owners.has(checksum)) owners.set(checksum, one);
    }
  }
  addBytecode(tree, owners);
  return owners;
}

/** Python compiles modules when they are installed: `__pycache__/x.cpython-311.pyc` goes with `x.py`. */
function addBytecode(tree: CommitTree, owners: Map<Checksum, Package>): void {
  for (const { path, files } of tree.walk()) {
    if (!path.endsWith('/__pycache__')) continue;
    const modules = tree.folder(path.slice(0, path.lastIndexOf('/')));
    for (const [name, checksum] of files) {
      const module = modules?.files.get(`${name.slice(0, name.indexOf('.'))}.py`);
      const owner = module === undefined ? undefined : owners.get(module);
      if (owner !== undefined && !owners.has(checksum)) owners.set(checksum, owner);
    }
  }
}

/** A component without its size. */
interface Draft {
  readonly about: Omit<Component, 'size'>;
  readonly objects: Checksum[];
}

interface Span {
  readonly oldest: number;
  readonly newest: number;
}

/** @param timestamp of the commit: no change is later, save in one whose timestamp is made up */
function spanOf(packages: readonly Package[], timestamp: number): Span {
  const latest = packages.flatMap(({ changeTimes }) => changeTimes[0] ?? []);
  const possible = latest.filter((time) => time <= timestamp);
  return { oldest: least(latest), newest: greatest(possible.length > 0 ? possible : latest) };
}

function packageDrafts(
  owners: ReadonlyMap<Checksum, Package>,
  packages: readonly Package[],
  timestamp: number,
): Map<string, Draft> {
  const span = spanOf(packages, timestamp);
  const drafts = new Map<string, Draft>();
  for (const [checksum, owner] of owners) {
    const draft = drafts.get(owner.identifier) ?? { about: packageFacts(owner, span), objects: [] };
    draft.objects.push(checksum);
    drafts.set(owner.identifier, draft);
  }
  return drafts;
}

function packageFacts(
  { identifier, name, source, changeTimes }: Package,
  { oldest, newest }: Span,
): Omit<Component, 'size'> {
  const changeTimeOffset = changeTimes[0] === undefined ? 0 : bounded(changeTimes[0] - oldest);
  const changeFrequency = bounded(changeTimes.filter((time) => time > newest - YEAR).length);
  return { identifier, name, srcid: source, changeTimeOffset, changeFrequency };
}

/** @param count how often it changed; undefined: it goes to what belongs to nobody */
function addGroup(drafts: Map<string, Draft>, { path, members }: PathGroup, count: number | undefined): void {
  const identifier = count === undefined ? UNPACKAGED : path;
  const name = identifier.replaceAll(',', '_'); // commas separate names
  const changeFrequency = count ?? ALWAYS_CHANGING;
  const about = { identifier, name, srcid: identifier, changeTimeOffset: 0, changeFrequency };
  const draft = drafts.get(identifier) ?? { about, objects: [] };
  for (const { checksum } of members) draft.objects.push(checksum);
  drafts.set(identifier, draft);
}

/** The databases themselves change with every update: they shall not have a layer that pretends otherwise. */
function holdsDatabase({ members }: PathGroup, paths: ReadonlySet<string>): boolean {
  return members.some(({ path }) => paths.has(path) || paths.has(path.slice(0, path.lastIndexOf('/'))));
}

function mappingOf(tree: CommitTree, drafts: ReadonlyMap<string, Draft>): ComponentMapping {
  const components: Component[] = [];
  const objects = new Map<Checksum, string>();
  for (const { about, objects: own } of drafts.values()) {
    components.push({ ...about, size: own.reduce((sum, checksum) => sum + tree.size(checksum), 0) });
    for (const checksum of own) objects.set(checksum, about.identifier);
  }
  return { components: components.sort((a, b) => compareText(a.identifier, b.identifier)), objects };
}

function least(times: readonly number[]): number {
  return times.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER);
}

function greatest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}

/** Unsigned, 32 bits, and never what stands for "always". */
function bounded(value: number): number {
  return Math.min(Math.max(0, value), ALWAYS_CHANGING - 1);
}
