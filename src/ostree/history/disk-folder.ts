/** A directory on the disk, to be compared with a commit: checksums are what a commit of it would have. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import { decodeUtf8 } from '../../base/decode.ts';
import { printable } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { type Checksum, sha256 } from '../objects/checksum.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { encodeFileHeader, type FileHeader } from '../objects/file-header.ts';
import { compareNames } from '../objects/order.ts';
import { NO_XATTRS } from '../objects/xattrs.ts';
import { openPlain, readTarget } from '../storage/plain-file.ts';
import { CHUNK } from '../storage/stored-file.ts';
import { readXattrs } from '../storage/xattr-calls.ts';
import { notADirectory } from './commit-folder.ts';
import type { Folder, FolderEntry } from './diff-trees.ts';

export interface DiskFolderOptions {
  /** As if there were no extended attributes. */
  readonly ignoreXattrs: boolean;
  /** As if everything belonged to these; undefined: as it is. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

/** Links are not followed. @throws OstreeError FILE_NAME for names that are not UTF-8 */
export function diskFolder(path: string, options: DiskFolderOptions): Folder {
  return {
    contents: undefined,
    list() {
      const entries = fs
        .readdirSync(path, { encoding: 'buffer', withFileTypes: true })
        .map((entry) => entryOf(path, nameOf(path, entry.name), entry.isDirectory(), options));
      return entries.sort((a, b) => Number(a.isDirectory) - Number(b.isDirectory) || compareNames(a.name, b.name));
    },
  };
}

function nameOf(path: string, bytes: Uint8Array): string {
  const name = decodeUtf8(bytes);
  if (name !== undefined) return name;
  const shown = `${path}/${Buffer.from(bytes).toString('latin1')}`;
  throw new OstreeError('FILE_NAME', `${printable(shown)}: a name that is not UTF-8 cannot be in a commit`);
}

function entryOf(parent: string, name: string, isDirectory: boolean, options: DiskFolderOptions): FolderEntry {
  const path = `${parent}/${name}`;
  return {
    name,
    isDirectory,
    checksum: () => checksumOfPath(path, options),
    open: () => (isDirectory ? diskFolder(path, options) : notADirectory()),
  };
}

function checksumOfPath(path: string, options: DiskFolderOptions): Checksum | undefined {
  const stats = fs.lstatSync(path);
  const attributes = {
    uid: options.uid ?? stats.uid,
    gid: options.gid ?? stats.gid,
    mode: stats.mode,
    xattrs: options.ignoreXattrs ? NO_XATTRS : readXattrs(path),
  };
  if (stats.isDirectory()) return sha256(encodeDirMeta(attributes));
  if (stats.isSymbolicLink()) return sha256(encodeFileHeader({ ...attributes, target: readTarget(path, path) }));
  return stats.isFile() ? checksumOfFile(path, { ...attributes, target: undefined }) : undefined;
}

function checksumOfFile(path: string, header: FileHeader): Checksum {
  const stored = openPlain(path, header, path);
  try {
    const hash = crypto.createHash('sha256').update(encodeFileHeader(header));
    const room = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, stored.size)));
    const fd = stored.plainFd ?? -1;
    for (let count = fs.readSync(fd, room); count > 0; count = fs.readSync(fd, room)) {
      hash.update(room.subarray(0, count));
    }
    return hash.digest('hex');
  } finally {
    stored.close();
  }
}
