/** A path inside a commit. */
import { printable } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import type { Checksum } from '../objects/checksum.ts';
import type { Commit } from '../objects/commit.ts';
import type { ObjectReader } from '../storage/object-reader.ts';

export interface Subtree {
  readonly kind: 'directory';
  /** Absolute below the root of the commit, '/' for the root. */
  readonly path: string;
  readonly tree: Checksum;
  readonly meta: Checksum;
}

export interface SubtreeFile {
  readonly kind: 'file';
  readonly path: string;
  readonly name: string;
  readonly checksum: Checksum;
}

/** Links in the commit are not followed. @throws OstreeError PATH_MISSING, FILE_NAME for '..' */
export function findEntry(
  reader: ObjectReader,
  commit: Pick<Commit, 'rootTree' | 'rootMeta'>,
  path: string,
): Subtree | SubtreeFile {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new OstreeError('FILE_NAME', `${printable(path)}: ".." in a path`, { subject: path });
  let at: Subtree = { kind: 'directory', path: '/', tree: commit.rootTree, meta: commit.rootMeta };
  for (const [i, name] of parts.entries()) {
    const { files, directories } = reader.dirTree(at.tree);
    const inner: string = `${at.path === '/' ? '' : at.path}/${name}`;
    const directory = directories.find((entry) => entry.name === name);
    if (directory !== undefined) {
      at = { kind: 'directory', path: inner, tree: directory.tree, meta: directory.meta };
      continue;
    }
    const file = files.find((entry) => entry.name === name);
    if (file === undefined) throw noSuchPath(inner);
    if (i < parts.length - 1)
      throw new OstreeError('PATH_MISSING', `${printable(inner)}: not a directory in this commit`);
    return { kind: 'file', path: inner, name, checksum: file.checksum };
  }
  return at;
}

function noSuchPath(path: string): OstreeError {
  return new OstreeError('PATH_MISSING', `${printable(path)}: not in this commit`, { subject: path });
}
