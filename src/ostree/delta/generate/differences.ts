/** What one commit has and another has not, and which old file each new one may be a version of. */
import { Reach, reachTree } from '../../history/reach.ts';
import type { ObjectName } from '../../jobs/verify-objects.ts';
import type { Checksum } from '../../objects/checksum.ts';
import type { Commit } from '../../objects/commit.ts';
import type { FileHeader } from '../../objects/file-header.ts';
import type { ObjectReader } from '../../storage/object-reader.ts';
import { type Likeness, type NamedFile, pairSimilar, stem } from '../algorithms/similar.ts';

/** A content object of the new tree. */
export interface NewFile extends NamedFile {
  readonly checksum: Checksum;
  readonly header: FileHeader;
  /** Bytes of the object's own file. */
  readonly storedSize: number;
}

export interface OldFile extends NamedFile {
  readonly checksum: Checksum;
}

/** A new file, and the old one that it may be made of. */
export interface FilePair {
  readonly added: NewFile;
  readonly removed: OldFile;
}

export interface Differences {
  /** Directories before what is in them; the commit itself goes another way. */
  readonly metadata: readonly ObjectName[];
  readonly pairs: readonly FilePair[];
  /** Regular files that resemble none, by path. */
  readonly unpaired: readonly NewFile[];
  readonly links: readonly NewFile[];
}

/** @throws OstreeError OBJECT_MISSING, OBJECT_MALFORMED */
export function findDifferences(reader: ObjectReader, from: Commit | undefined, to: Commit): Differences {
  const old = new Reach();
  if (from !== undefined) reachTree(reader, from, old);
  const { metadata, files } = newObjects(reader, to, old);
  const added = withHeaders(reader, files);
  const regular = added.filter(({ header }) => header.target === undefined);
  const pairs = from === undefined ? [] : findPairs(reader, from, regular);
  const paired = new Set(pairs.map((pair) => pair.added.checksum));
  return {
    metadata,
    pairs,
    unpaired: firstPaths(regular).filter(({ checksum }) => !paired.has(checksum)),
    links: firstPaths(added.filter(({ header }) => header.target !== undefined)),
  };
}

interface TreeFile {
  readonly name: string;
  readonly checksum: Checksum;
}

/** The tree walked by path, each directory object once, but for those in `known`. */
function newObjects(reader: ObjectReader, to: Commit, known: Reach): { metadata: ObjectName[]; files: TreeFile[] } {
  const trees = new Set<Checksum>();
  const metas = new Set<Checksum>([to.rootMeta]);
  const files: TreeFile[] = [];
  const open = [{ tree: to.rootTree, path: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { tree, path } = next;
    if (trees.has(tree) || known.dirTrees.has(tree)) continue;
    trees.add(tree);
    const { files: inside, directories } = reader.dirTree(tree);
    for (const { name, checksum } of inside) {
      if (!known.files.has(checksum)) files.push({ name: `${path}/${name}`, checksum });
    }
    for (const { meta } of directories) metas.add(meta);
    for (const { name, tree: below } of directories.toReversed()) open.push({ tree: below, path: `${path}/${name}` });
  }
  const dirMetas = [...metas].filter((checksum) => !known.dirMetas.has(checksum));
  return {
    metadata: [
      ...[...trees].map((checksum): ObjectName => ({ checksum, type: 'dirtree' })),
      ...dirMetas.map((checksum): ObjectName => ({ checksum, type: 'dirmeta' })),
    ],
    files,
  };
}

function withHeaders(reader: ObjectReader, files: readonly TreeFile[]): NewFile[] {
  const read = new Map<Checksum, Pick<NewFile, 'header' | 'size' | 'storedSize'>>();
  return files.map((file) => {
    let facts = read.get(file.checksum);
    if (facts === undefined) {
      const stored = reader.file(file.checksum);
      facts = { header: stored.header, size: stored.size, storedSize: stored.storedSize };
      stored.close();
      read.set(file.checksum, facts);
    }
    return { ...file, ...facts };
  });
}

/** One of each object, under the path that comes first. */
function firstPaths<File extends { readonly checksum: Checksum }>(files: readonly File[]): File[] {
  const seen = new Set<Checksum>();
  return files.filter(({ checksum }) => !seen.has(checksum) && seen.add(checksum));
}

const SURENESS: readonly Likeness[] = ['path', 'name', 'stem'];

/** One pair for each new object: that of the path where it is surest. In the order of the paths. */
function findPairs(reader: ObjectReader, from: Commit, added: readonly NewFile[]): FilePair[] {
  const stems = new Set(added.map(({ name }) => stem(name)));
  const candidates = newObjects(reader, from, new Reach()).files.filter(({ name }) => stems.has(stem(name)));
  const removed = withHeaders(reader, candidates).filter(isSource);
  const best = new Map<Checksum, FilePair & { readonly likeness: Likeness }>();
  for (const pair of pairSimilar(removed, added)) {
    const before = best.get(pair.added.checksum);
    if (before === undefined || SURENESS.indexOf(pair.likeness) < SURENESS.indexOf(before.likeness)) {
      best.set(pair.added.checksum, pair);
    }
  }
  return [...best.values()];
}

const OTHERS_READ = 0o004;

/** Whoever applies a delta may have to read the source without being root. */
function isSource({ header }: NewFile): boolean {
  return header.target === undefined && (header.mode & OTHERS_READ) !== 0;
}
