/** Read objects back and compare them with their names. Findings are results, not errors: fsck goes on. */
import crypto from 'node:crypto';
import { codeOf, explain } from '../../base/error.ts';
import { type Checksum, sha256 } from '../objects/checksum.ts';
import { decodeCommit } from '../objects/commit.ts';
import { decodeDirMeta } from '../objects/dirmeta.ts';
import { decodeDirTree } from '../objects/dirtree.ts';
import { encodeFileHeader } from '../objects/file-header.ts';
import type { ObjectType } from '../objects/object-type.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { corrupt } from '../storage/object-writer.ts';
import { type StoredFile, WHOLE_LIMIT } from '../storage/stored-file.ts';
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

function verifyFile(stored: StoredFile, checksum: Checksum): number | Promise<number> {
  if (stored.size > WHOLE_LIMIT || stored.storedSize > WHOLE_LIMIT) return verifyLarge(stored, checksum);
  try {
    const start = encodeFileHeader(stored.header);
    const content = stored.bytes();
    const found = sha256(content.length === 0 ? start : Buffer.concat([start, content]));
    if (found !== checksum) throw corrupt('file', checksum, found);
    return content.length;
  } finally {
    stored.close();
  }
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
