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
/** Names that are looked at. No tree has so many; one that holds each directory twice has more than can be counted. */
const MOST_NAMES = 2 ** 22;

/**
 * Modified, then removed, then added. What is in a removed directory is not listed, what is in an added one is.
 * @throws OstreeError TOO_LARGE
 */
export function diffTrees(before: Folder, after: Folder): readonly Difference[] {
  const comparison = new Comparison();
  comparison.compare(before, after, '', 0);
  return (['modified', 'removed', 'added'] as const).flatMap((change) =>
    comparison.found[change].map((path) => ({ change, path })),
  );
}

class Comparison {
  readonly found: Readonly<Record<Difference['change'], string[]>> = { modified: [], removed: [], added: [] };
  #names = 0;

  compare(before: Folder, after: Folder, prefix: string, depth: number): void {
    assertDepth(prefix, depth);
    if (before.contents !== undefined && before.contents === after.contents) return;
    const [old, now] = [before.list(), after.list()];
    const nowByName = new Map(now.map((entry) => [entry.name, entry]));
    for (const entry of old) {
      const path = this.#next(prefix, entry);
      const other = nowByName.get(entry.name);
      nowByName.delete(entry.name);
      if (other === undefined) this.found.removed.push(path);
      else if (entry.isDirectory !== other.isDirectory) this.found.modified.push(path);
      else {
        if (entry.checksum() !== other.checksum()) this.found.modified.push(path);
        if (entry.isDirectory) this.compare(entry.open(), other.open(), `${path}/`, depth + 1);
      }
    }
    for (const entry of now) if (nowByName.has(entry.name)) this.#addAll(entry, prefix, depth);
  }

  #addAll(entry: FolderEntry, prefix: string, depth: number): void {
    const path = this.#next(prefix, entry);
    assertDepth(path, depth);
    this.found.added.push(path);
    if (!entry.isDirectory) return;
    for (const inner of entry.open().list()) this.#addAll(inner, `${path}/`, depth + 1);
  }

  /** The path of a name, which counts. */
  #next(prefix: string, { name }: FolderEntry): string {
    if (++this.#names > MOST_NAMES) throw new OstreeError('TOO_LARGE', `trees of more than ${MOST_NAMES} names`);
    return prefix + name;
  }
}

function assertDepth(path: string, depth: number): void {
  if (depth <= DEEPEST) return;
  throw new OstreeError('TOO_LARGE', `${printable(path)}: more than ${DEEPEST} directories below each other`);
}
