/**
 * Taking away what the layers below brought. Directories that the path rule moved stay: whoever empties `usr` of an
 * image does not empty its `etc`, though that lies in `usr/etc` of the tree.
 */
import { MutableTree } from '../../ostree/index.ts';
import { isBelow, type Move, type Path } from '../path-rule.ts';

/** Everything in a directory. @param at its path in the tree */
export function hideContents(directory: MutableTree, at: Path, moves: readonly Move[]): void {
  const inside = at.length === 0 ? [] : movedBelow(at, moves);
  if (inside.length === 0) {
    directory.clear();
    return;
  }
  for (const [name] of [...directory.entries()]) {
    const isMoved = inside.some(({ to }) => to.length === at.length + 1 && to.at(-1) === name);
    if (!isMoved) hideName(directory, name, at, inside);
  }
}

/** One name of a directory, with everything below. @param at the path of the directory */
export function hideName(directory: MutableTree, name: string, at: Path, moves: readonly Move[]): void {
  const path = [...at, name];
  const inside = movedBelow(path, moves);
  const entry = inside.length === 0 ? undefined : directory.child(name);
  if (entry instanceof MutableTree) {
    hideContents(entry, path, inside);
    if (!entry.isEmpty) return;
  }
  directory.remove(name);
}

function movedBelow(path: Path, moves: readonly Move[]): Move[] {
  return moves.filter(({ to }) => to.length > path.length && isBelow(to, path));
}
