/**
 * `uncompressed-objects-cache/` of an archive: objects unpacked once, for user-mode checkouts to link to. Not content
 * of the repository: it may be deleted at any time. Spec 12.
 */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { writeAll } from '../../linux/files/write.ts';
import type { Checksum } from '../objects/checksum.ts';
import { objectPath } from '../objects/object-type.ts';
import type { Repository } from '../repository/repository.ts';
import { formatOf } from '../storage/file-format.ts';
import type { FoundObject } from '../storage/object-reader.ts';
import { WHOLE_LIMIT } from '../storage/stored-file.ts';

export interface UncompressedCache {
  /** The path of the unpacked file; undefined for what is always copied: links, empty, unreadable and large files. */
  unpack(object: FoundObject, checksum: Checksum): string | undefined;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;

export function openUncompressedCache(repository: Repository): UncompressedCache {
  const root = `${repository.root}/uncompressed-objects-cache`;
  let count = 0;
  return {
    unpack(object, checksum) {
      const path = `${root}/${objectPath(checksum, 'file')}`;
      if (fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
      const stored = formatOf(object.mode).open(object.path, `file ${checksum}`);
      try {
        const { mode, target } = stored.header;
        const isCopied = target !== undefined || stored.size === 0 || (mode & 0o400) === 0;
        if (isCopied || stored.size > WHOLE_LIMIT || stored.storedSize > WHOLE_LIMIT) return undefined;
        fs.mkdirSync(`${root}/${checksum.slice(0, 2)}`, { recursive: true, mode: 0o775 });
        const temporary = `${root}/.${process.pid}-${count++}`;
        writeNew(temporary, stored.bytes(), mode & 0o1777);
        fs.renameSync(temporary, path);
        return path;
      } finally {
        stored.close();
      }
    },
  };
}

function writeNew(path: string, content: Uint8Array, mode: number): void {
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeAll(fd, content);
    fs.fchmodSync(fd, mode);
    fs.futimesSync(fd, 0, 0);
    fs.fsyncSync(fd); // nothing ever checks this copy again
  } catch (error) {
    fs.unlinkSync(path);
    throw error;
  } finally {
    fs.closeSync(fd);
  }
}

/** Removed by prune, when its objects are gone. False when there was none. */
export function removeFromCache(repository: Repository, checksum: Checksum): boolean {
  try {
    fs.unlinkSync(`${repository.root}/uncompressed-objects-cache/${objectPath(checksum, 'file')}`);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
