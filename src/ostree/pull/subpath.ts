/** Which part of a tree is wanted: everything, or the places that `--subpath` names. */
import { quote } from '../../base/text.ts';
import { OstreeError } from '../error.ts';
import { isFileName } from '../objects/dirtree.ts';

/** `all`: the directory with everything below it; else only these names, each with what is wanted below it. */
export type Selection = 'all' | ReadonlyMap<string, Selection>;

/** @throws OstreeError FILE_NAME for a path that is not absolute, or has `.` or `..` in it */
export function selectPaths(paths: readonly string[]): Selection {
  const root: Growing = new Map();
  for (const path of paths) {
    const parts = partsOf(path);
    if (parts.length === 0) return 'all';
    add(root, parts);
  }
  return paths.length === 0 ? 'all' : (root as Selection);
}

type Growing = Map<string, Growing | 'all'>;

function add(at: Growing, [name = '', ...rest]: readonly string[]): void {
  const existing = at.get(name);
  if (existing === 'all') return;
  if (rest.length === 0) {
    at.set(name, 'all');
    return;
  }
  const next: Growing = existing ?? new Map();
  at.set(name, next);
  add(next, rest);
}

function partsOf(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '');
  if (path.startsWith('/') && parts.every(isFileName)) return parts;
  throw new OstreeError('FILE_NAME', `${quote(path)}: expected an absolute path in the tree, such as /usr/bin`, {
    subject: path,
  });
}
