/** Read an object back and compare it with its name. */
import crypto from 'node:crypto';
import { type Checksum, sha256, sha256Both } from '../objects/checksum.ts';
import { decodeCommit } from '../objects/commit.ts';
import { decodeDirMeta } from '../objects/dirmeta.ts';
import { decodeDirTree } from '../objects/dirtree.ts';
import { encodeFileHeader, HEADER_LIMIT } from '../objects/file-header.ts';
import type { ObjectType } from '../objects/object-type.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { corrupt } from '../storage/object-writer.ts';
import { readExactly } from '../storage/plain-file.ts';
import { CHUNK, type StoredFile, WHOLE_LIMIT } from '../storage/stored-file.ts';

export interface ObjectName {
  readonly checksum: Checksum;
  readonly type: ObjectType;
}

/** Bytes read; a promise only for what is large. @throws OstreeError OBJECT_CORRUPT, OBJECT_MALFORMED, OBJECT_MISSING */
export function verifyObject(reader: ObjectReader, { checksum, type }: ObjectName): number | Promise<number> {
  if (type === 'file') return verifyFile(reader.file(checksum), checksum);
  const bytes = reader.metadata(checksum, type);
  const found = sha256(bytes);
  if (found !== checksum) throw corrupt(type, checksum, found);
  DECODERS[type](bytes, `${type} ${checksum}`);
  return bytes.length;
}

const DECODERS = { commit: decodeCommit, dirtree: decodeDirTree, dirmeta: decodeDirMeta };

/** Header and content side by side; one for each thread, for garbage of this size is collected too late. */
let scratch = Buffer.alloc(0);

function verifyFile(stored: StoredFile, checksum: Checksum): number | Promise<number> {
  const { plainFd, size, storedSize } = stored;
  if (plainFd === undefined && (size > WHOLE_LIMIT || storedSize > WHOLE_LIMIT)) return verifyLarge(stored, checksum);
  try {
    const start = encodeFileHeader(stored.header);
    const found =
      plainFd === undefined ? sha256Both(start, stored.bytes()) : hashOfFile(start, plainFd, size, checksum);
    if (found !== checksum) throw corrupt('file', checksum, found);
    return size;
  } finally {
    stored.close();
  }
}

function hashOfFile(start: Uint8Array, fd: number, size: number, checksum: Checksum): Checksum {
  if (scratch.length === 0) scratch = Buffer.allocUnsafeSlow(CHUNK + 2 * HEADER_LIMIT);
  const what = `file ${checksum}`;
  if (start.length + size <= scratch.length) {
    scratch.set(start);
    readExactly(fd, scratch.subarray(start.length, start.length + size), 0, what);
    return sha256(scratch.subarray(0, start.length + size));
  }
  const hash = crypto.createHash('sha256').update(start);
  for (let at = 0; at < size; at += CHUNK) {
    const chunk = scratch.subarray(0, Math.min(CHUNK, size - at));
    readExactly(fd, chunk, at, what);
    hash.update(chunk);
  }
  return hash.digest('hex');
}

async function verifyLarge(stored: StoredFile, checksum: Checksum): Promise<number> {
  try {
    const hash = crypto.createHash('sha256').update(encodeFileHeader(stored.header));
    for await (const chunk of stored.chunks()) hash.update(chunk);
    const found = hash.digest('hex');
    if (found !== checksum) throw corrupt('file', checksum, found);
    return stored.size;
  } finally {
    stored.close();
  }
}
