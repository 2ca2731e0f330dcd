/** Read objects back and compare them with their names. Findings are results, not errors: fsck goes on. */
import crypto from 'node:crypto';
import { codeOf, explain } from '../../base/error.ts';
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
import type { JobContext } from './table.ts';

export interface ObjectName {
  readonly checksum: Checksum;
  readonly type: ObjectType;
}

export interface VerifyBatch {
  readonly objects: readonly ObjectName[];
}

/** What is wrong with an object. */
export interface Finding extends ObjectName {
  readonly kind: 'missing' | 'corrupt';
  /** For people. */
  readonly text: string;
}

export interface VerifyResult {
  readonly findings: readonly Finding[];
  readonly bytes: number;
}

export async function verifyObjects({ reader }: JobContext, { objects }: VerifyBatch): Promise<VerifyResult> {
  const findings: Finding[] = [];
  let bytes = 0;
  for (const object of objects) {
    try {
      const verified = verifyObject(reader, object);
      bytes += typeof verified === 'number' ? verified : await verified;
    } catch (error) {
      const kind = kindOf(error);
      if (kind === undefined) throw error;
      findings.push({ ...object, kind, text: explain(error) });
    }
  }
  return { findings, bytes };
}

function kindOf(error: unknown): Finding['kind'] | undefined {
  switch (codeOf(error)) {
    case 'OBJECT_MISSING':
      return 'missing';
    case 'OBJECT_CORRUPT':
    case 'OBJECT_MALFORMED':
    case 'TOO_LARGE':
      return 'corrupt';
    default:
      return undefined;
  }
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
