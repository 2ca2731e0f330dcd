/** Places of the host that belong to containers, and those that are a container's own deployment. */
import { posix } from 'node:path';
import type { Places } from '../places/places.ts';

const NAMES = { RUN_DIRECTORY: 'run', STATE_DIRECTORY: 'state', CONF_DIRECTORY: 'conf' } as const;

/**
 * Below these a container may have directories: the usual ones, and what the user set instead. Defaults of an image do
 * not count, or it could name `/` and with it everything.
 */
export function ownDirectories(places: Places, setValues: ReadonlyMap<string, string> = new Map()): readonly string[] {
  return Object.entries(NAMES).flatMap(([name, key]) => {
    const set = setValues.get(name);
    return set === undefined ? [places.directories[key]] : [places.directories[key], set];
  });
}

/** Strictly below one of them, by its text: absolute and without `.` and `..`. */
export function isBelow(path: string, directories: readonly string[]): boolean {
  if (!isPlain(path)) return false;
  return directories.some((directory) => isPlain(directory) && trimmed(path).startsWith(`${trimmed(directory)}/`));
}

function isPlain(path: string): boolean {
  return path.startsWith('/') && path.length > 1 && trimmed(path) === posix.normalize(trimmed(path));
}

export function trimmed(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** Absolute, as the runtime resolves it: relative sources start at the bundle. */
export function absoluteSource(path: string, deployment: string): string {
  return trimmed(posix.resolve(deployment, path));
}
