/**
 * What a request asks for, from its target alone. This is the list of what is served: whatever it does not name does
 * not exist, and no route holds a name that leads out of the repository.
 */
import { type Checksum, isChecksum, isRefName, type RefPlace } from '../../ostree/index.ts';

export type Route =
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'front'; readonly page: number }
  | { readonly kind: 'deltas'; readonly page: number }
  | { readonly kind: 'commit'; readonly commit: Checksum }
  | BrowseRoute
  /** Of the configuration only what clients need. */
  | { readonly kind: 'config' }
  | { readonly kind: 'ref'; readonly place: RefPlace; readonly ref: string }
  | FileRoute;

export interface BrowseRoute {
  readonly kind: 'browse';
  readonly commit: Checksum;
  /** Names from the root of the commit. */
  readonly path: readonly string[];
  /** Asked for with a slash at its end. */
  readonly isFolder: boolean;
  readonly page: number;
}

export interface FileRoute {
  readonly kind: 'file';
  /** Names below the repository; the last one is a file. */
  readonly path: readonly string[];
  /** Its name is its checksum: it never changes. */
  readonly isImmutable: boolean;
  /** Of a content object. */
  readonly content: Checksum | undefined;
}

/** Undefined: nothing of that name. */
export function parseTarget(target: string): Route | undefined {
  const [, path, query = ''] = /^(?:https?:\/\/[^/?#]*)?(\/[^?#]*)(?:\?([^#]*))?$/.exec(target) ?? [];
  if (path === undefined) return undefined;
  if (path === '/' || path === '/repo/') return { kind: 'front', page: pageOf(query) };
  if (path === '/repo') return { kind: 'redirect', location: '/repo/' };
  if (path === '/deltas') return { kind: 'deltas', page: pageOf(query) };
  const isFolder = path.endsWith('/');
  const names = decodeNames(path.slice(1, isFolder ? -1 : undefined));
  if (names === undefined) return undefined;
  const [top, ...rest] = names;
  if (top === 'repo') return isFolder ? undefined : repositoryRoute(rest);
  const [commit = '', ...inner] = rest;
  if (!isChecksum(commit)) return undefined;
  if (top === 'commit') return inner.length > 0 || isFolder ? undefined : { kind: 'commit', commit };
  return top === 'browse' ? { kind: 'browse', commit, path: inner, isFolder, page: pageOf(query) } : undefined;
}

/** Plain names only. Decoded once: what is still encoded then is a name with percent signs in it. */
function decodeNames(path: string): string[] | undefined {
  const names = path.split('/').map(decodeName);
  return names.every((name) => name !== undefined) ? names : undefined;
}

function decodeName(part: string): string | undefined {
  try {
    const name = decodeURIComponent(part);
    return name === '' || name === '.' || name === '..' || /[/\0]/.test(name) ? undefined : name;
  } catch {
    return undefined; // not UTF-8, or a percent sign without two digits: a URIError, and nobody's name
  }
}

function pageOf(query: string): number {
  return Number(/(?:^|&)page=([1-9][0-9]{0,5})(?:&|$)/.exec(query)?.[1] ?? 1);
}

const OBJECT = /^objects\/([0-9a-f]{2})\/([0-9a-f]{62})\.(commit|commitmeta|dirtree|dirmeta|filez)$/;
/** Deltas are made anew under the same name, with other parts. */
const DELTA = /^deltas\/[A-Za-z0-9+_]{2}\/[A-Za-z0-9+_]{41}(-[A-Za-z0-9+_]{43})?\/(superblock|0|[1-9][0-9]{0,5})$/;
const DELTA_INDEX = /^delta-indexes\/[A-Za-z0-9+_]{2}\/[A-Za-z0-9+_]{41}\.index$/;

function repositoryRoute(path: readonly string[]): Route | undefined {
  const joined = path.join('/');
  const plain: FileRoute = { kind: 'file', path, isImmutable: false, content: undefined };
  if (joined === 'config') return { kind: 'config' };
  if (joined === 'summary' || joined === 'summary.sig') return plain;
  const [, first = '', second = '', type] = OBJECT.exec(joined) ?? [];
  if (type !== undefined) {
    // Signatures are added to a commitmeta: its name is not its checksum.
    return { ...plain, isImmutable: type !== 'commitmeta', content: type === 'filez' ? first + second : undefined };
  }
  if (DELTA.test(joined) || DELTA_INDEX.test(joined)) return plain;
  return path[0] === 'refs' ? refRoute(path) : undefined;
}

/** Refs that this repository has fetched from others (`refs/remotes`) are its own business. */
function refRoute([, folder, ...rest]: readonly string[]): Route | undefined {
  const [collection = '', ...ofCollection] = rest;
  const place: RefPlace = folder === 'mirrors' ? { kind: 'mirror', collection } : { kind: 'head' };
  const ref = (folder === 'mirrors' ? ofCollection : rest).join('/');
  if (folder !== 'heads' && folder !== 'mirrors') return undefined;
  if (place.kind === 'mirror' && !COLLECTION.test(collection)) return undefined;
  return isRefName(ref) && ref.length <= LONGEST_REF ? { kind: 'ref', place, ref } : undefined;
}

/** A path is no longer than this for the kernel. */
const LONGEST_REF = 4000;
const COLLECTION = /^(?=.{1,255}$)[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$/;
