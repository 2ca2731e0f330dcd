/** A regular file of a tree: its path, or only its name; its size in bytes. */
export interface NamedFile {
  readonly name: string;
  readonly size: number;
}

/** Why two files were taken for versions of one: the same path, the same last part of it, the same stem of that. */
export type Likeness = 'path' | 'name' | 'stem';

export interface SimilarPair<Removed, Added> {
  readonly added: Added;
  readonly removed: Removed;
  readonly likeness: Likeness;
}

/** How far sizes may differ, in percent of the new one. */
const SIZE_DIFFERENCE = 30;
/** Compressed as a whole: a small change leaves nothing alike behind it. */
const COMPRESSED = /\.(xz|bz2)$/;

/** From the surest likeness to the least. */
const LIKENESSES = [
  ['path', (name: string): string => name],
  ['name', baseName],
  ['stem', stem],
] as const satisfies readonly (readonly [Likeness, (name: string) => string])[];

/**
 * For each new file the old one that it most likely is a version of, in the order of `added`; new files without one are
 * left out. An old file may serve several new ones.
 *
 * The same path goes before the same name, that before the same stem (the name up to its first dot: `libx.so.1.2` and
 * `libx.so.1.3`); among several the nearest size, then the smaller one, then the first by name. The order of `removed`
 * does not matter. Empty files, `.xz` and `.bz2` are never paired.
 */
export function pairSimilar<Removed extends NamedFile, Added extends NamedFile>(
  removed: readonly Removed[],
  added: readonly Added[],
): SimilarPair<Removed, Added>[] {
  const groups = LIKENESSES.map(([likeness, key]) => ({ likeness, key, bySize: groupBySize(removed, key) }));
  return added.filter(isCandidate).flatMap((file) => {
    for (const { likeness, key, bySize } of groups) {
      const found = nearest(bySize.get(key(file.name)) ?? [], file.size);
      if (found !== undefined) return [{ added: file, removed: found, likeness }];
    }
    return [];
  });
}

function isCandidate(file: NamedFile): boolean {
  return file.size > 0 && !COMPRESSED.test(file.name);
}

function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** The name up to its first dot; of a name that starts with one, all of it: hidden files have nothing else in common. */
export function stem(name: string): string {
  const base = baseName(name);
  const dot = base.indexOf('.', 1);
  return dot < 0 ? base : base.slice(0, dot);
}

/** The candidates with each key, the smallest first. */
function groupBySize<File extends NamedFile>(
  files: readonly File[],
  key: (name: string) => string,
): Map<string, File[]> {
  const groups = new Map<string, File[]>();
  for (const file of files.filter(isCandidate)) {
    const group = groups.get(key(file.name));
    if (group === undefined) groups.set(key(file.name), [file]);
    else group.push(file);
  }
  for (const group of groups.values()) group.sort((a, b) => a.size - b.size || (a.name < b.name ? -1 : 1));
  return groups;
}

/** The file of the nearest size, if it is near enough. */
function nearest<File extends NamedFile>(bySize: readonly File[], size: number): File | undefined {
  const above = firstOfSize(bySize, size);
  const larger = bySize[above];
  const below = bySize[above - 1];
  const smaller = below === undefined ? undefined : bySize[firstOfSize(bySize, below.size)];
  const distance = (file: File | undefined): number => (file === undefined ? Infinity : Math.abs(file.size - size));
  const best = distance(smaller) <= distance(larger) ? smaller : larger;
  return distance(best) * 100 <= size * SIZE_DIFFERENCE ? best : undefined;
}

/** The index of the first file that is at least this large. */
function firstOfSize(bySize: readonly NamedFile[], size: number): number {
  let low = 0;
  let high = bySize.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bySize[middle]?.size ?? size) < size) low = middle + 1;
    else high = middle;
  }
  return low;
}
