/** A whole directory under its final name, or its files in a directory that has to stay. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { systemCalls } from '../../linux/calls/ffi.ts';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { type Place, syncBoth } from '../../linux/files/durable.ts';
import { MANIFEST_FILE, VERSION_FILE } from './names.ts';

/** Where the old directory lies for a moment, when two directories cannot be exchanged in one step. */
const OLD = 'old';

/**
 * The new directory at `to`; what was there is left beside `from`, to be removed. Where nothing or an empty directory
 * was, and where the kernel can exchange two names (renameat2, which needs koffi), this is one step. Elsewhere it is
 * two, between which the name is free; `takeBack` of the next run undoes the first.
 */
export function putInPlace(from: Place, to: Place): void {
  try {
    from.directory.rename(from.name, to.directory, to.name);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
    if (!exchange(from, to)) moveBoth(from, to);
  }
  syncBoth(to.directory, from.directory);
}

/** False where there is no such call. */
function exchange(from: Place, to: Place): boolean {
  const rename = systemCalls()?.renameat2;
  if (rename === undefined) return false;
  const [source, target] = [from.directory.at(from.name), to.directory.at(to.name)];
  try {
    naming(to.directory.pathOf(to.name), () => rename(0, source, 0, target, 'exchange'));
    return true;
  } catch (error) {
    if (codeOf(error) === 'EINVAL' || codeOf(error) === 'ENOSYS') return false;
    throw error;
  }
}

function moveBoth(from: Place, to: Place): void {
  to.directory.rename(to.name, from.directory, OLD);
  from.directory.rename(from.name, to.directory, to.name);
}

/** After a kill between the two steps. */
export function takeBack(staging: Directory, to: Place): void {
  if (staging.lstat(OLD) === undefined || to.directory.lstat(to.name) !== undefined) return;
  staging.rename(OLD, to.directory, to.name);
  syncBoth(to.directory, staging);
}

/**
 * Everything that `from` has, and nothing else but `kept`. While this goes on there is no manifest, and so no image; a
 * kill leaves a directory that is known for what it is by its version, and can be filled again.
 */
export function moveContents(from: Directory, to: Directory, kept: string): void {
  if (to.unlink(MANIFEST_FILE)) to.sync();
  const names = from.list().filter((name) => name !== MANIFEST_FILE);
  const first = (name: string): number => (name === VERSION_FILE ? 0 : 1);
  for (const name of names.sort((a, b) => first(a) - first(b))) from.rename(name, to, name);
  const wanted = new Set([...names, kept]);
  for (const name of to.list().filter((other) => !wanted.has(other))) {
    naming(to.pathOf(name), () => fs.rmSync(to.at(name), { recursive: true, force: true }));
  }
  to.sync();
  from.rename(MANIFEST_FILE, to, MANIFEST_FILE);
  syncBoth(to, from);
}
