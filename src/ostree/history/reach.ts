/** Which objects a commit needs: its tree walked on metadata, each directory once. */
import { codeOf } from '../../base/error.ts';
import type { ObjectName } from '../jobs/verify-objects.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';
import type { ObjectReader } from '../storage/object-reader.ts';

/** Objects found so far; walks add to it, and do not walk again what is in it. */
export class Reach {
  readonly commits = new Set<Checksum>();
  readonly dirTrees = new Set<Checksum>();
  readonly dirMetas = new Set<Checksum>();
  readonly files = new Set<Checksum>();

  get size(): number {
    return this.commits.size + this.dirTrees.size + this.dirMetas.size + this.files.size;
  }

  has(checksum: Checksum, type: ObjectName['type']): boolean {
    return this.#setOf(type).has(checksum);
  }

  /** Commits first, then metadata, then files. */
  *names(): Generator<ObjectName> {
    for (const type of ['commit', 'dirtree', 'dirmeta', 'file'] as const) {
      for (const checksum of this.#setOf(type)) yield { checksum, type };
    }
  }

  #setOf(type: ObjectName['type']): ReadonlySet<Checksum> {
    switch (type) {
      case 'commit':
        return this.commits;
      case 'dirtree':
        return this.dirTrees;
      case 'dirmeta':
        return this.dirMetas;
      case 'file':
        return this.files;
    }
  }
}

/** Called for a dirtree that is absent; what it throws ends the walk. */
export type OnMissingTree = (tree: Checksum) => void;

/** Add everything below the root of a commit, not the commit itself. @throws OstreeError OBJECT_MISSING by default */
export function reachTree(
  reader: ObjectReader,
  root: Pick<Commit, 'rootTree' | 'rootMeta'>,
  into: Reach,
  onMissing?: OnMissingTree,
): void {
  into.dirMetas.add(root.rootMeta);
  const open = [root.rootTree];
  for (let tree = open.pop(); tree !== undefined; tree = open.pop()) {
    if (into.dirTrees.has(tree)) continue;
    into.dirTrees.add(tree);
    const contents = readTree(reader, tree, onMissing);
    if (contents === undefined) continue;
    for (const { checksum } of contents.files) into.files.add(checksum);
    for (const directory of contents.directories) {
      into.dirMetas.add(directory.meta);
      open.push(directory.tree);
    }
  }
}

function readTree(reader: ObjectReader, tree: Checksum, onMissing: OnMissingTree | undefined) {
  if (onMissing === undefined) return reader.dirTree(tree);
  try {
    return reader.dirTree(tree);
  } catch (error) {
    if (codeOf(error) !== 'OBJECT_MISSING') throw error;
    onMissing(tree);
    return undefined;
  }
}

/**
 * A commit and its ancestors, newest first.
 * @param depth how many generations back: 0 the commit alone, -1 all. A parent that is absent ends the line.
 * @throws OstreeError OBJECT_MISSING when the first one is absent
 */
export function* ancestry(
  reader: ObjectReader,
  first: Checksum,
  depth: number,
): Generator<{ readonly checksum: Checksum; readonly commit: Commit }> {
  let left = depth < 0 ? Number.POSITIVE_INFINITY : depth;
  const seen = new Set<Checksum>();
  let commit = reader.commit(first);
  for (let checksum = first; ; left--) {
    seen.add(checksum);
    yield { checksum, commit };
    const { parent } = commit;
    if (left <= 0 || parent === undefined || seen.has(parent) || !reader.has(parent, 'commit')) return;
    commit = reader.commit(parent);
    checksum = parent;
  }
}
