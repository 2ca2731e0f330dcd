/** A directory of a commit, to be compared. Nothing but trees is read. */
import type { Checksum } from '../objects/checksum.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import type { Folder, FolderEntry } from './diff-trees.ts';

export function commitFolder(reader: ObjectReader, tree: Checksum): Folder {
  return {
    contents: tree,
    list() {
      const { files, directories } = reader.dirTree(tree);
      return [
        ...files.map(({ name, checksum }) => fileOf(reader, name, checksum)),
        ...directories.map(({ name, tree: inner, meta }) => directoryOf(reader, name, inner, meta)),
      ];
    },
  };
}

/** Which of the two it is, is only looked at when it is asked for. */
function fileOf(reader: ObjectReader, name: string, checksum: Checksum): FolderEntry {
  let kind: 'file' | 'link' | undefined;
  return {
    name,
    get kind() {
      if (kind === undefined) {
        const stored = reader.file(checksum);
        stored.close();
        kind = stored.header.target === undefined ? 'file' : 'link';
      }
      return kind;
    },
    checksum: () => checksum,
    open: notADirectory,
  };
}

function directoryOf(reader: ObjectReader, name: string, tree: Checksum, meta: Checksum): FolderEntry {
  return { name, kind: 'directory', checksum: () => meta, open: () => commitFolder(reader, tree) };
}

export function notADirectory(): never {
  throw new Error('unreachable: only directories are opened');
}
