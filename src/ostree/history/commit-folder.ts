/** A directory of a commit, to be compared. Nothing but trees is read. */
import type { Checksum } from '../objects/checksum.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { Folder } from './diff-trees.ts';

export function commitFolder(reader: ObjectReader, tree: Checksum): Folder {
  return {
    contents: tree,
    list() {
      const { files, directories } = reader.dirTree(tree);
      return [
        ...files.map(({ name, checksum }) => ({
          name,
          isDirectory: false,
          checksum: () => checksum,
          open: notADirectory,
        })),
        ...directories.map(({ name, tree: inner, meta }) => ({
          name,
          isDirectory: true,
          checksum: () => meta,
          open: () => commitFolder(reader, inner),
        })),
      ];
    },
  };
}

export function notADirectory(): never {
  throw new Error('unreachable: only directories are opened');
}
