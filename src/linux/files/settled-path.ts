/** Paths by name where that is as safe as by descriptor: `/proc/self/fd/N/` costs every call two microseconds. */
import fs from 'node:fs';
import { callerId } from './owner.ts';

/**
 * The absolute path of an open directory, when nobody but root and the caller can put something else into the place of
 * any directory on the way; else undefined. Without symbolic links.
 */
export function settledPath(fd: number): string | undefined {
  const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
  if (!path.startsWith('/')) return undefined;
  const parts = path.split('/').filter((part) => part !== '');
  let above = fs.lstatSync('/');
  let at = '';
  for (const part of parts) {
    at += `/${part}`;
    const stats = fs.lstatSync(at, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true || !keeps(above, stats)) return undefined;
    above = stats;
  }
  const opened = fs.fstatSync(fd);
  return opened.ino === above.ino && opened.dev === above.dev ? at || '/' : undefined;
}

/** Can only root and the caller remove or rename this entry of a directory? In a sticky one also its owner could. */
function keeps(directory: fs.Stats, entry: fs.Stats): boolean {
  if (!isTrusted(directory.uid)) return false;
  if ((directory.mode & 0o022) === 0) return true;
  return (directory.mode & 0o1000) !== 0 && isTrusted(entry.uid);
}

function isTrusted(uid: number): boolean {
  return uid === 0 || uid === callerId();
}
