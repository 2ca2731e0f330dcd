/** Folders of refs, opened one below the other: a link in their place is never followed. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';

/** Undefined when a folder is missing. */
export function within<T>(root: Directory, parts: readonly string[], use: (directory: Directory) => T): T | undefined {
  let at = root;
  try {
    for (const part of parts) {
      const next = openFolder(at, part);
      if (at !== root) at.close();
      if (next === undefined) return undefined;
      at = next;
    }
    return use(at);
  } finally {
    if (at !== root) at.close();
  }
}

/** A file in the place of a folder (`a` is a ref, `a/b` is asked for) is as if there were no folder. */
function openFolder(directory: Directory, name: string): Directory | undefined {
  try {
    return directory.openDirectory(name);
  } catch (error) {
    if (codeOf(error) === 'NOT_A_DIRECTORY') return undefined;
    throw error;
  }
}

/** Those that are missing are made, with `fsync` durably. */
export function inMadeFolders(
  root: Directory,
  parts: readonly string[],
  fsync: boolean,
  use: (directory: Directory) => void,
): void {
  let at = root;
  try {
    for (const part of parts) {
      if (!fsync) makeWithoutFlush(at, part);
      const next = at.makeDirectory(part, 0o777);
      if (at !== root) at.close();
      at = next;
    }
    use(at);
  } finally {
    if (at !== root) at.close();
  }
}

/** `Directory.makeDirectory` finds it there, and has nothing to flush. */
function makeWithoutFlush(directory: Directory, name: string): void {
  try {
    naming(directory.pathOf(name), () => fs.mkdirSync(directory.at(name), 0o777));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}
