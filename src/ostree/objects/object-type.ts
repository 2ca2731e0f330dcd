/** Kinds of objects, their codes inside deltas and sizes, and their file names. Spec: OstreeObjectType. */
import { type Checksum, isChecksum } from './checksum.ts';

export type ObjectType = 'file' | 'dirtree' | 'dirmeta' | 'commit';
/** Those that are stored beside them: not hashed, or links. */
export type SideType = 'tombstone-commit' | 'commitmeta' | 'payload-link' | 'file-xattrs' | 'file-xattrs-link';
export type AnyType = ObjectType | SideType;
export type MetadataType = Exclude<ObjectType, 'file'>;

export const TYPE_CODES: Readonly<Record<AnyType, number>> = {
  file: 1,
  dirtree: 2,
  dirmeta: 3,
  commit: 4,
  'tombstone-commit': 5,
  commitmeta: 6,
  'payload-link': 7,
  'file-xattrs': 8,
  'file-xattrs-link': 9,
};

const OBJECT_TYPES: readonly ObjectType[] = ['file', 'dirtree', 'dirmeta', 'commit'];

/** Of the types that deltas may carry. */
export function objectTypeOf(code: number): ObjectType | undefined {
  return OBJECT_TYPES.find((type) => TYPE_CODES[type] === code);
}

/** The largest metadata object that is read at all. */
export const METADATA_LIMIT = 128 * 2 ** 20;

/** `ab/cdef….dirtree`, below `objects/` or a staging directory. `filez` is how an archive spells `file`. */
export function objectPath(checksum: Checksum, extension: AnyType | 'filez'): string {
  return `${checksum.slice(0, 2)}/${checksum.slice(2)}.${extension}`;
}

const EXTENSIONS: Readonly<Record<string, AnyType>> = {
  ...Object.fromEntries((Object.keys(TYPE_CODES) as AnyType[]).map((type) => [type, type])),
  filez: 'file',
};

/** What a file of an objects directory is; undefined for anything that is no object. */
export function parseObjectName(fanout: string, name: string): { checksum: Checksum; type: AnyType } | undefined {
  const dot = name.indexOf('.');
  const checksum = fanout + name.slice(0, dot);
  const extension = name.slice(dot + 1);
  const type = Object.hasOwn(EXTENSIONS, extension) ? EXTENSIONS[extension] : undefined;
  return dot === 62 && type !== undefined && isChecksum(checksum) ? { checksum, type } : undefined;
}
