/**
 * Parts of a tree by path and size, for what no package database speaks of. A folder that is not large is one part; of
 * a large one the large files and the large folders below are parts of their own. The limits are fixed sizes, so that
 * the same tree with a few changes gives the same names.
 */
import type { Checksum } from '../../../ostree/index.ts';
import type { CommitTree, Folder } from './commit-tree.ts';
import { pushAll } from './stack.ts';

export interface PathGroup {
  /** Path of the folder or the file; of a folder that was divided, what is left. */
  readonly path: string;
  readonly size: number;
  /** Each content object at one of its paths. */
  readonly members: readonly Member[];
}

export interface Member {
  readonly path: string;
  readonly checksum: Checksum;
}

/** A folder of more bytes is divided. */
const WHOLE = 8 * 2 ** 20;
/** What is smaller is not worth a part of its own. */
export const WORTH = 2 ** 20;

interface Branch {
  readonly folder: Folder;
  readonly files: readonly (Member & { readonly size: number })[];
  readonly below: Branch[];
  /** With everything below. */
  size: number;
}

/** @param isWanted which content objects are to be divided; each comes once, at its first path */
export function groupByPath(tree: CommitTree, isWanted: (checksum: Checksum) => boolean): PathGroup[] {
  const groups: PathGroup[] = [];
  const open = [measure(tree, isWanted)];
  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    if (branch.size <= WHOLE) {
      addGroup(groups, branch.folder.path, everything([branch]));
      continue;
    }
    const large = branch.files.filter(({ size }) => size >= WORTH);
    for (const file of large) addGroup(groups, file.path, [file]);
    const small = branch.below.filter(({ size }) => size < WORTH);
    const rest = branch.files.filter(({ size }) => size < WORTH);
    addGroup(groups, branch.folder.path, [...rest, ...everything(small)]);
    pushAll(
      open,
      branch.below.filter(({ size }) => size >= WORTH),
    );
  }
  return groups;
}

function addGroup(groups: PathGroup[], path: string, files: Branch['files']): void {
  if (files.length === 0) return;
  const members = files.map((file) => ({ path: file.path, checksum: file.checksum }));
  groups.push({ path: path === '' ? '/' : path, size: files.reduce((sum, { size }) => sum + size, 0), members });
}

/** The root, with all sizes added up. */
function measure(tree: CommitTree, isWanted: (checksum: Checksum) => boolean): Branch {
  const seen = new Set<Checksum>();
  const branches = new Map<string, Branch>();
  for (const folder of tree.walk()) {
    const files = [...folder.files].flatMap(([name, checksum]) => {
      if (seen.has(checksum) || !isWanted(checksum)) return [];
      seen.add(checksum);
      return { path: `${folder.path}/${name}`, checksum, size: tree.size(checksum) };
    });
    const branch = { folder, files, below: [], size: files.reduce((sum, { size }) => sum + size, 0) };
    branches.set(folder.path, branch);
  }
  const parentOf = ({ folder: { path } }: Branch) => branches.get(path.slice(0, path.lastIndexOf('/')));
  const [root, ...below] = branches.values();
  if (root === undefined) throw new Error('unreachable: a walk begins at the root');
  for (const branch of below) parentOf(branch)?.below.push(branch);
  // Folders come before those below them: from the end every one is complete when it is added to its parent.
  for (const branch of below.reverse()) {
    const parent = parentOf(branch);
    if (parent !== undefined) parent.size += branch.size;
  }
  return root;
}

function everything(branches: readonly Branch[]): Branch['files'] {
  const files: Branch['files'][number][] = [];
  const open: Branch[] = [];
  pushAll(open, branches);
  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    for (const file of branch.files) files.push(file);
    pushAll(open, branch.below);
  }
  return files;
}
