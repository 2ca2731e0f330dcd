/** Paths of the host: absolute, normalised, without the prefix of `--root`. */
import { quote } from '../../base/text.ts';
import { ContainerError } from '../error.ts';

/** PATH_MAX and NAME_MAX of Linux. */
const PATH_LIMIT = 4096;
const NAME_LIMIT = 255;

/**
 * Without double slashes, dots and a slash at the end.
 * @param what for messages: what the path was found in
 * @throws ContainerError HOST_PATH_REFUSED when it is not absolute, leads out of `/`, or is too long to exist
 */
export function hostPath(path: string, what: string): string {
  if (!path.startsWith('/') || path.includes('\0')) throw refused(what, 'an absolute path', path);
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) throw refused(what, 'a path that stays inside of /', path);
  }
  if (names.length === 0) throw refused(what, 'the path of a file', path);
  const isLong = names.some((name) => Buffer.byteLength(name) > NAME_LIMIT);
  const normalised = `/${names.join('/')}`;
  if (isLong || Buffer.byteLength(normalised) >= PATH_LIMIT) throw refused(what, 'a path that Linux can hold', path);
  return normalised;
}

/** `/a` and `/a/b` of `/a/b/c`, the shortest first. */
export function prefixesOf(path: string): readonly string[] {
  const prefixes: string[] = [];
  for (let at = path.indexOf('/', 1); at !== -1; at = path.indexOf('/', at + 1)) prefixes.push(path.slice(0, at));
  return prefixes;
}

/** Is it this directory, or in it? `/` holds everything. */
export function isWithin(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

/** By the bytes of their paths. */
export function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return compareBytes(a.path, b.path);
}

export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function refused(what: string, expected: string, found: string): ContainerError {
  return new ContainerError('HOST_PATH_REFUSED', `${what}: expected ${expected}, found ${quote(found)}`, {
    subject: found,
  });
}
