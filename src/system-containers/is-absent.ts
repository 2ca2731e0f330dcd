import { posix } from 'node:path';
import type { ImageTree } from './image-tree.ts';

/** Nothing is at that path, and no link is on the way that could lead to it: `/usr/bin/kvd`, as the container sees it. */
export function isAbsent(tree: ImageTree, path: string): boolean {
  const parts = posix.normalize(path).replace(/^\/+/, '').split('/');
  for (let count = 1; count <= parts.length; count++) {
    const entry = tree.look(parts.slice(0, count).join('/'));
    if (entry === undefined) return true;
    if (entry.type === 'symlink') return false;
  }
  return false;
}
