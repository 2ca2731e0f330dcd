/** The root file system of a deployment: its own, or the one of the user's that it was made for. */
import { join } from 'node:path';
import type { ImageTree } from '../image-tree.ts';
import type { Deployment } from './container.ts';
import { directoryTree } from './directory-tree.ts';

export function rootfsOf({ path, info }: Pick<Deployment, 'path' | 'info'>): string {
  return info.rootfs ?? join(path, 'rootfs');
}

export function treeOf(deployment: Deployment): ImageTree {
  return directoryTree(rootfsOf(deployment), deployment.info.image);
}
