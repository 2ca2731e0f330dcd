/** What an entry of a stream is for the repository inside of it, judged by its path alone (spec 2.2, 2.3). */
import { quote } from '../../base/text.ts';
import { type Checksum, isChecksum } from '../../ostree/index.ts';
import { safePath, type TarEntry } from '../../tar/index.ts';
import { StreamError } from './error.ts';
import { REPO, type StreamObjectType } from './layout.ts';

export type StreamName =
  /** Not of the repository, or of no matter for an import. */
  | { readonly kind: 'other' }
  /** `config` of the repository: streams of format v0 have it elsewhere. */
  | { readonly kind: 'config' }
  | { readonly kind: 'object'; readonly type: StreamObjectType; readonly checksum: Checksum; readonly isOld: boolean };

const TYPES: ReadonlySet<string> = new Set<StreamObjectType>([
  'commit',
  'commitmeta',
  'dirtree',
  'dirmeta',
  'file',
  'file-xattrs',
  'file-xattrs-link',
]);
const OTHER: StreamName = { kind: 'other' };
const REPO_PARTS = REPO.split('/');

/** @throws TarError TAR_PATH; StreamError STREAM_MALFORMED for what is neither an object nor known otherwise */
export function streamName({ path, type }: Pick<TarEntry, 'path' | 'type'>): StreamName {
  const parts = safePath(path);
  if (type === 'directory' || !isInRepo(parts)) return OTHER;
  const [folder = '', first = '', second = '', ...more] = parts.slice(REPO_PARTS.length);
  if (folder === 'refs') return OTHER;
  if (parts.at(-1) === 'config') return first === '' ? { kind: 'config' } : OTHER;
  if (more.length === 0) {
    const found = folder === 'objects' ? objectOf(first, second) : oldList(folder, first, second);
    if (found !== undefined) return found;
  }
  throw new StreamError('STREAM_MALFORMED', `${quote(path)}: is no object, and nothing else that is known`, {
    subject: path,
  });
}

/** The list of attributes that a hard link leads to, undefined when it leads elsewhere. */
export function listOf(linkTarget: string): Checksum | undefined {
  const parts = safePath(linkTarget);
  if (!isInRepo(parts)) return undefined;
  const [folder = '', first = '', second = '', ...more] = parts.slice(REPO_PARTS.length);
  const found = folder === 'objects' ? objectOf(first, second) : oldList(folder, first, second);
  return more.length === 0 && found?.type === 'file-xattrs' ? found.checksum : undefined;
}

function isInRepo(parts: readonly string[]): boolean {
  return parts.length > REPO_PARTS.length && REPO_PARTS.every((part, i) => parts[i] === part);
}

type ObjectName = Extract<StreamName, { kind: 'object' }>;

function objectOf(fanout: string, name: string): ObjectName | undefined {
  const dot = name.indexOf('.');
  const checksum = fanout + name.slice(0, dot);
  if (fanout.length !== 2 || dot !== 62 || !isChecksum(checksum)) return undefined;
  const extension = name.slice(dot + 1);
  if (extension === 'file.xattrs') return { kind: 'object', type: 'file-xattrs-link', checksum, isOld: true };
  if (!TYPES.has(extension)) return undefined;
  return { kind: 'object', type: extension as StreamObjectType, checksum, isOld: false };
}

/** Format v0 has its lists in a folder of their own. */
function oldList(folder: string, name: string, more: string): ObjectName | undefined {
  if (folder !== 'xattrs' || more !== '' || !isChecksum(name)) return undefined;
  return { kind: 'object', type: 'file-xattrs', checksum: name, isOld: true };
}
