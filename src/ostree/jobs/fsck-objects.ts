/** Read objects back for fsck: as `verify-objects`, going on after whatever cannot be read, and looking closer. */
import { codeOf, explain } from '../../base/error.ts';
import { sha256 } from '../objects/checksum.ts';
import { encodeFileHeader, type FileHeader, octal } from '../objects/file-header.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { corrupt } from '../storage/object-writer.ts';
import { readExactly } from '../storage/plain-file.ts';
import { xattrCalls } from '../storage/xattr-calls.ts';
import type { JobContext } from './table.ts';
import { type Finding, type ObjectName, type VerifyBatch, verifyObject } from './verify-objects.ts';

/** `attributes`: the object is whole, but its file in a bare-user repository is not how it was written. */
export interface FsckFound extends ObjectName {
  readonly kind: Finding['kind'] | 'attributes';
  /** For people. */
  readonly text: string;
}

export interface FsckObjectsResult {
  readonly found: readonly FsckFound[];
  readonly bytes: number;
}

/** Codes of objects that are there and cannot be what they should be; a directory or a broken disk block among them. */
const CORRUPT = new Set([
  'OBJECT_CORRUPT',
  'OBJECT_MALFORMED',
  'TOO_LARGE',
  'EIO',
  'EISDIR',
  'ELOOP',
  'ENXIO',
  'EINVAL',
  'ENOTDIR',
]);

export async function fsckObjects({ reader }: JobContext, { objects }: VerifyBatch): Promise<FsckObjectsResult> {
  const found: FsckFound[] = [];
  let bytes = 0;
  for (const object of objects) {
    try {
      const verified = object.type === 'file' ? verifyFile(reader, object) : verifyObject(reader, object);
      bytes += typeof verified === 'number' ? verified : await verified;
      const stray = object.type === 'file' ? strayAttributes(reader, object) : undefined;
      if (stray !== undefined) found.push({ ...object, kind: 'attributes', text: stray });
    } catch (error) {
      found.push({ ...object, kind: kindOf(error), text: explain(error) });
    }
  }
  return { found, bytes };
}

/** Contents that lie in their files as they are go through one buffer: fresh memory for each would cost as much again. */
function verifyFile(reader: ObjectReader, { checksum, type }: ObjectName): number | Promise<number> {
  if (reader.places.some(({ mode }) => mode === 'archive')) return verifyObject(reader, { checksum, type });
  const stored = reader.file(checksum);
  const { plainFd, size, header } = stored;
  try {
    if (plainFd === undefined || size > SCRATCH) return verifyObject(reader, { checksum, type });
    const start = encodeFileHeader(header);
    const end = start.length + size;
    if (scratch.length < end) scratch = Buffer.allocUnsafeSlow(SCRATCH + start.length);
    scratch.set(start);
    readExactly(plainFd, scratch.subarray(start.length, end), 0, `file ${checksum}`);
    const found = sha256(scratch.subarray(0, end));
    if (found !== checksum) throw corrupt('file', checksum, found);
    return size;
  } finally {
    stored.close();
  }
}

const SCRATCH = 4 * 2 ** 20;
let scratch = Buffer.allocUnsafeSlow(0);

function kindOf(error: unknown): Finding['kind'] {
  const code = codeOf(error) ?? '';
  if (code === 'OBJECT_MISSING') return 'missing';
  if (CORRUPT.has(code)) return 'corrupt';
  throw error;
}

/** In bare-user the attributes that count are in one extended attribute; a checkout that shares the file can change the others. */
function strayAttributes(reader: ObjectReader, { checksum }: ObjectName): string | undefined {
  if (reader.places.every(({ mode }) => mode !== 'bare-user')) return undefined;
  const object = reader.find(checksum, 'file');
  if (object?.mode !== 'bare-user') return undefined;
  const stored = reader.file(checksum);
  stored.close();
  const expected = physicalMode(stored.header);
  const mode = object.stats.mode & 0o7777;
  if (mode !== expected) return `file ${checksum}: expected mode ${octal(expected)}, found ${octal(mode)}`;
  const names = xattrCalls()
    .llistxattr(object.path)
    .map((name) => Buffer.from(name).toString())
    .filter(isStray);
  return names.length === 0 ? undefined : `file ${checksum}: stray extended attributes: ${names.join(', ')}`;
}

function physicalMode({ mode, target }: FileHeader): number {
  return target === undefined ? (mode & 0o775) | 0o400 : 0o644;
}

/** SELinux labels come with the place where a file lies. */
function isStray(name: string): boolean {
  return name !== 'user.ostreemeta' && name !== 'security.selinux';
}
