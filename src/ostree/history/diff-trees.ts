/** Two trees, name by name: of commits, or of directories on the disk. Order and rules are those of `ostree diff`. */
import { printable } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';

/** A directory of either kind. */
export interface Folder {
  /** Equal for equal contents; undefined where that is not known without looking. */
  readonly contents: Checksum | undefined;
  /** Files and links, then directories, each in order. */
  list(): readonly FolderEntry[];
}

export interface FolderEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  /** Of the content object with all attributes, or of a directory's own ones; undefined for what no commit can hold. */
  checksum(): Checksum | undefined;
  /** Of a directory. */
  open(): Folder;
}

export interface Difference {
  readonly change: 'modified' | 'removed' | 'added';
  /** Below both roots, without a slash in front. */
  readonly path: string;
}

/** Directories below each other, as everywhere. */
const DEEPEST = 2048;

/** Modified, then removed, then added. What is in a removed directory is not listed, what is in an added one is. */
export function diffTrees(before: Folder, after: Folder): readonly Difference[] {
  const found: Record<Difference['change'], string[]> = { modified: [], removed: [], added: [] };
  compare(before, after, '', found, 0);
  return (['modified', 'removed', 'added'] as const).flatMap((change) =>
    found[change].map((path) => ({ change, path })),
  );
}

type Found = Readonly<Record<Difference['change'], string[]>>;

function compare(before: Folder, after: Folder, prefix: string, found: Found, depth: number): void {
  assertDepth(prefix, depth);
  if (before.contents !== undefined && before.contents === after.contents) return;
  const [old, now] = [before.list(), after.list()];
  const nowByName = new Map(now.map((entry) => [entry.name, entry]));
  for (const entry of old) {
    const path = prefix + entry.name;
    const other = nowByName.get(entry.name);
    nowByName.delete(entry.name);
    if (other === undefined) found.removed.push(path);
    else if (entry.isDirectory !== other.isDirectory) found.modified.push(path);
    else {
      if (entry.checksum() !== other.checksum()) found.modified.push(path);
      if (entry.isDirectory) compare(entry.open(), other.open(), `${path}/`, found, depth + 1);
    }
  }
  for (const entry of now) if (nowByName.has(entry.name)) addAll(entry, prefix, found, depth);
}

function addAll(entry: FolderEntry, prefix: string, found: Found, depth: number): void {
  const path = prefix + entry.name;
  assertDepth(path, depth);
  found.added.push(path);
  if (!entry.isDirectory) return;
  for (const inner of entry.open().list()) addAll(inner, `${path}/`, found, depth + 1);
}

function assertDepth(path: string, depth: number): void {
  if (depth <= DEEPEST) return;
  throw new OstreeError('TOO_LARGE', `${printable(path)}: more than ${DEEPEST} directories below each other`);
}
