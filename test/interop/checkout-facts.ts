/** What a checkout left on the disk, so that two of them can be compared. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemCalls } from '../../src/linux/calls/ffi.ts';

export interface Facts {
  readonly mode: string;
  readonly owner: string;
  /** Zero, or the time of the checkout. */
  readonly time: 'zero' | 'now';
  /** Of a file that has other names: its number; such a file is the object of the repository itself. */
  readonly inode: number | 'own';
  /** Hash of a file, target of a link, number of a device. */
  readonly content: string | undefined;
  readonly xattrs: readonly string[];
}

/** By path; '.' is the target itself. Empty when there is none. */
export function factsOf(target: string): Readonly<Record<string, Facts>> {
  if (lstatSync(target, { throwIfNoEntry: false }) === undefined) return {};
  return Object.fromEntries(['.', ...below(target, '')].sort().map((name) => [name, factsOfPath(join(target, name))]));
}

/** Links are not followed (as `recursive` of readdir does). */
function below(root: string, prefix: string): string[] {
  const path = join(root, prefix);
  if (!lstatSync(path).isDirectory()) return [];
  return readdirSync(path).flatMap((name) => [join(prefix, name), ...below(root, join(prefix, name))]);
}

function factsOfPath(path: string): Facts {
  const stats = lstatSync(path);
  const { mode, uid, gid, ino, nlink, mtimeMs } = stats;
  const content = stats.isSymbolicLink()
    ? readlinkSync(path)
    : stats.isFile()
      ? createHash('sha256').update(readFileSync(path)).digest('hex')
      : stats.isCharacterDevice()
        ? String(stats.rdev)
        : undefined;
  return {
    mode: mode.toString(8),
    owner: `${uid}:${gid}`,
    time: mtimeMs === 0 ? 'zero' : 'now',
    inode: nlink > 1 && !stats.isDirectory() ? ino : 'own',
    content,
    xattrs: xattrsOf(path),
  };
}

function xattrsOf(path: string): string[] {
  const calls = systemCalls();
  if (calls === undefined) throw new Error('koffi is missing');
  return calls
    .llistxattr(path)
    .map((name) => `${Buffer.from(name)}=${Buffer.from(calls.lgetxattr(path, name) ?? []).toString('hex')}`)
    .sort();
}
