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
import { makeFanout } from '../storage/fanout.ts';
import { formatOf } from '../storage/file-format.ts';
import type { FoundObject } from '../storage/object-reader.ts';
import { WHOLE_LIMIT } from '../storage/stored-file.ts';
import { openTemporary, type Temporary } from '../storage/temporary.ts';

export interface UncompressedCache {
  /** A path of the unpacked file; undefined for what is copied: links, empty, unreadable and large files. */
  unpack(object: FoundObject, checksum: Checksum): string | undefined;
  /** What was unpacked stays for later checkouts; after a flush, for nothing ever checks these copies again. */
  keep(flush: () => void): void;
  /** What was not kept goes. */
  close(): void;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = fs.constants;

export function openUncompressedCache(repository: Repository): UncompressedCache {
  const root = `${repository.root}/uncompressed-objects-cache`;
  const pathOf = (checksum: Checksum): string => `${root}/${objectPath(checksum, 'file')}`;
  let temporary: Temporary | undefined;
  /** Under names in `tmp/`. */
  const unpacked = new Map<Checksum, string>();
  let canWrite = true;
  return {
    unpack(object, checksum) {
      const path = pathOf(checksum);
      const before = unpacked.get(checksum);
      if (before !== undefined) return before;
      if (fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
      if (!canWrite) return undefined;
      canWrite = !isReadOnly(() => {
        temporary ??= openTemporary(repository);
        const name = temporary.directory.at(checksum);
        if (unpackTo(object, checksum, name)) unpacked.set(checksum, name);
      });
      return unpacked.get(checksum);
    },
    keep(flush) {
      if (unpacked.size === 0) return;
      flush();
      repository.directory.makeDirectory('uncompressed-objects-cache', 0o775).close();
      for (const fanout of new Set([...unpacked.keys()].map((checksum) => checksum.slice(0, 2)))) {
        makeFanout(`${root}/${fanout}`);
      }
      for (const [checksum, name] of unpacked) fs.renameSync(name, pathOf(checksum));
      unpacked.clear();
    },
    close() {
      temporary?.close();
      temporary = undefined;
      unpacked.clear();
    },
  };
}

/** False for what is always copied. */
function unpackTo(object: FoundObject, checksum: Checksum, path: string): boolean {
  const stored = formatOf(object.mode).open(object.path, `file ${checksum}`);
  try {
    const { mode, target } = stored.header;
    const isCopied = target !== undefined || stored.size === 0 || (mode & 0o400) === 0;
    if (isCopied || stored.size > WHOLE_LIMIT || stored.storedSize > WHOLE_LIMIT) return false;
    fs.rmSync(path, { force: true });
    writeNew(path, stored.bytes(), mode & 0o1777);
    return true;
  } finally {
    stored.close();
  }
}

const READ_ONLY: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM', 'NO_OFD_LOCKS']);

/** A repository that others own, or on a read-only file system, is checked out without a cache. */
function isReadOnly(write: () => void): boolean {
  try {
    write();
    return false;
  } catch (error) {
    const code = codeOf(error);
    if (READ_ONLY.has(code ?? '')) return true;
    throw error;
  }
}

function writeNew(path: string, content: Uint8Array, mode: number): void {
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeAll(fd, content);
    fs.fchmodSync(fd, mode);
    fs.futimesSync(fd, 0, 0);
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
