/**
 * The names in one directory (`.dirtree`).
 *
 * Shape: `(a(say)a(sayay))` = files and links (name, content checksum), directories (name, dirtree, dirmeta); both
 * sorted bytewise. Stricter than libostree: no empty name, none twice, and the order is checked, for readers search by
 * bisection. Source: OSTREE_TREE_GVARIANT_FORMAT in ostree-core.h.
 */

import { quote } from '../../base/text.ts';
import { array, bytes, string, tuple } from '../../gvariant/index.ts';
import { malformed } from '../error.ts';
import { type Checksum, checksumBytes, checksumOf } from './checksum.ts';
import { decodeStrictly } from './file-header.ts';
import { compareNames } from './order.ts';
import { readPlainDirTree } from './plain-dirtree.ts';

export interface FileEntry {
  readonly name: string;
  readonly checksum: Checksum;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly tree: Checksum;
  readonly meta: Checksum;
}

export interface DirTree {
  readonly files: readonly FileEntry[];
  readonly directories: readonly DirectoryEntry[];
}

const DIRTREE = tuple(array(tuple(string, bytes)), array(tuple(string, bytes, bytes)));

/** @throws OstreeError OBJECT_MALFORMED */
export function decodeDirTree(object: Uint8Array, what = 'dirtree'): DirTree {
  return readPlainDirTree(object) ?? decodeAnyDirTree(object, what);
}

/** The whole type, and all that is wrong with one. @throws OstreeError OBJECT_MALFORMED */
export function decodeAnyDirTree(object: Uint8Array, what = 'dirtree'): DirTree {
  const [fileList, directoryList] = decodeStrictly(() => DIRTREE.decode(object), what);
  const files = fileList.map(([name, checksum]) => ({ name, checksum: checksumOf(checksum, what) }));
  const directories = directoryList.map(([name, tree, meta]) => ({
    name,
    tree: checksumOf(tree, what),
    meta: checksumOf(meta, what),
  }));
  assertNames(files, what);
  assertNames(directories, what);
  assertDisjoint(files, directories, what);
  return { files, directories };
}

/** Sorts; names are taken as good (`assertName`), twice the same name is a mistake of the caller. */
export function encodeDirTree({ files, directories }: DirTree): Uint8Array {
  const byName = (a: { name: string }, b: { name: string }): number => compareNames(a.name, b.name);
  return DIRTREE.encode([
    [...files].sort(byName).map(({ name, checksum }) => [name, checksumBytes(checksum)] as const),
    [...directories]
      .sort(byName)
      .map(({ name, tree, meta }) => [name, checksumBytes(tree), checksumBytes(meta)] as const),
  ]);
}

/** May this be a name in a tree? */
export function isFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0');
}

function assertNames(entries: readonly { readonly name: string }[], what: string): void {
  let last: string | undefined;
  for (const { name } of entries) {
    if (!isFileName(name)) throw malformed(what, `${quote(name)} is not a file name`);
    if (last !== undefined && compareNames(last, name) >= 0) throw malformed(what, `${quote(name)} is out of order`);
    last = name;
  }
}

/** Both lists are sorted: one walk over both. */
function assertDisjoint(files: readonly FileEntry[], directories: readonly DirectoryEntry[], what: string): void {
  let at = 0;
  for (const { name } of directories) {
    for (;;) {
      const file = files[at];
      const order = file === undefined ? 1 : compareNames(file.name, name);
      if (order === 0) throw malformed(what, `${quote(name)} is a file and a directory`);
      if (order > 0) break;
      at++;
    }
  }
}
