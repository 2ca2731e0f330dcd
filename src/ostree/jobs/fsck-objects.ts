/** Read objects back: what is wrong with them is a result and no error, for fsck goes on. */
import { codeOf, explain } from '../../base/error.ts';
import { type FileHeader, octal } from '../objects/file-header.ts';
import type { ObjectReader } from '../storage/object-reader.ts';
import { xattrCalls } from '../storage/xattr-calls.ts';
import type { JobContext } from './table.ts';
import { type ObjectName, verifyObject } from './verify-objects.ts';

export interface FsckBatch {
  readonly objects: readonly ObjectName[];
}

/** `attributes`: the object is whole, but its file in a bare-user repository is not how it was written. */
export interface FsckFound extends ObjectName {
  readonly kind: 'missing' | 'corrupt' | 'attributes';
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

export async function fsckObjects({ reader }: JobContext, { objects }: FsckBatch): Promise<FsckObjectsResult> {
  const found: FsckFound[] = [];
  let bytes = 0;
  for (const object of objects) {
    try {
      const verified = verifyObject(reader, object);
      bytes += typeof verified === 'number' ? verified : await verified;
      const stray = object.type === 'file' ? strayAttributes(reader, object) : undefined;
      if (stray !== undefined) found.push({ ...object, kind: 'attributes', text: stray });
    } catch (error) {
      found.push({ ...object, kind: kindOf(error), text: explain(error) });
    }
  }
  return { found, bytes };
}

function kindOf(error: unknown): FsckFound['kind'] {
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
