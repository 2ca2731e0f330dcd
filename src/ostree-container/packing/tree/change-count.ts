/** How often parts of a tree changed in the past: the commits before this one, compared path by path. */

import { codeOf } from '../../../base/error.ts';
import { ancestry, type Checksum, type ObjectReader } from '../../../ostree/index.ts';
import { CommitTree } from './commit-tree.ts';
import type { PathGroup } from './path-groups.ts';

/** Commits that are looked back. More would say little about tomorrow. */
const GENERATIONS = 8;

/** For each group, between how many of the last commits it was different. Ends where the history is not stored. */
export function changeCounts(reader: ObjectReader, commit: Checksum, groups: readonly PathGroup[]): number[] {
  const counts = groups.map(() => 0);
  let newer = groups.map(({ members }) => members.map(({ checksum }): Checksum | undefined => checksum));
  for (const ancestor of ancestry(reader, commit, GENERATIONS)) {
    if (ancestor.checksum === commit) continue;
    const older = statesIn(new CommitTree(reader, ancestor.commit), groups);
    if (older === undefined) return counts;
    for (const [i, state] of older.entries()) if (!isSame(state, newer[i] ?? [])) counts[i] = (counts[i] ?? 0) + 1;
    newer = older;
  }
  return counts;
}

type State = readonly (Checksum | undefined)[];

/** Undefined when the tree is not all there: a commit that was pulled without it. */
function statesIn(tree: CommitTree, groups: readonly PathGroup[]): (Checksum | undefined)[][] | undefined {
  try {
    return groups.map(({ members }) => members.map(({ path }) => tree.file(path)));
  } catch (error) {
    if (codeOf(error) === 'OBJECT_MISSING') return undefined;
    throw error;
  }
}

function isSame(a: State, b: State): boolean {
  return a.length === b.length && a.every((checksum, i) => checksum === b[i]);
}
