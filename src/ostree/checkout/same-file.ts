/** Is a file of the target the object itself, or equal to it? For --union-identical. */
import crypto from 'node:crypto';
import fs from 'node:fs';
import type { Checksum } from '../objects/checksum.ts';
import { encodeFileHeader, type FileHeader } from '../objects/file-header.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { openPlain, openStoredLink, readTarget } from '../storage/plain-file.ts';
import { CHUNK, type StoredFile } from '../storage/stored-file.ts';
import { readXattrs } from '../storage/xattr-calls.ts';
import { userModeOf } from './place-file.ts';

/** @param userMode owners and extended attributes do not count, and the mode is that which `-U` makes of it */
export function sameFile(
  reader: ObjectReader,
  checksum: Checksum,
  path: string,
  stats: fs.Stats,
  userMode: boolean,
): boolean {
  const object = reader.find(checksum, 'file');
  if (object !== undefined && object.stats.ino === stats.ino && object.stats.dev === stats.dev) return true;
  if (!stats.isFile() && !stats.isSymbolicLink()) return false;
  const stored = openTarget(path, stats);
  try {
    return userMode ? isUserCopy(reader, checksum, stored) : checksumOfTarget(stored, stored.header) === checksum;
  } finally {
    stored.close();
  }
}

function isUserCopy(reader: ObjectReader, checksum: Checksum, found: StoredFile): boolean {
  const expected = reader.file(checksum);
  expected.close();
  const { header } = expected;
  if (header.target !== undefined || found.header.target !== undefined) return header.target === found.header.target;
  const hasMode = (found.header.mode & 0o7777) === userModeOf(header.mode);
  return hasMode && expected.size === found.size && checksumOfTarget(found, header) === checksum;
}

function openTarget(path: string, { uid, gid, mode, ...stats }: fs.Stats): StoredFile {
  const header = { uid, gid, mode, xattrs: readXattrs(path) };
  if ((mode & fs.constants.S_IFMT) === fs.constants.S_IFLNK) {
    return openStoredLink({ ...header, target: readTarget(path, path) }, stats.size);
  }
  return openPlain(path, { ...header, target: undefined }, path);
}

function checksumOfTarget({ size, plainFd }: StoredFile, header: FileHeader): Checksum {
  const hash = crypto.createHash('sha256').update(encodeFileHeader(header));
  if (plainFd === undefined) return hash.digest('hex');
  const room = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, size)));
  for (let count = fs.readSync(plainFd, room); count > 0; count = fs.readSync(plainFd, room)) {
    hash.update(room.subarray(0, count));
  }
  return hash.digest('hex');
}
