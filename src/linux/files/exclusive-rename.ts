/** A rename that never replaces. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { systemCalls } from '../calls/ffi.ts';
import { naming } from '../calls/system-error.ts';
import type { Place } from './durable.ts';

/**
 * Give `from` the name `to`; false when something has that name already. Durable after `sync` of both directories.
 * Without renameat2 a file is linked to its new name and loses the old one: a crash in between leaves both names.
 * A directory cannot be linked: then EPERM.
 */
export function renameExclusive(from: Place, to: Place): boolean {
  try {
    naming(to.directory.pathOf(to.name), () => {
      if (!renameByCall(from, to)) renameByLink(from, to);
    });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** False when there is no such call: without koffi, or on a file system (EINVAL) or kernel (ENOSYS) without it. */
function renameByCall(from: Place, to: Place): boolean {
  const rename = systemCalls()?.renameat2;
  if (rename === undefined) return false;
  const [source, target] = [from.directory.at(from.name), to.directory.at(to.name)];
  try {
    rename(0, source, 0, target, 'no-replace'); // absolute paths: the descriptors are not looked at
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EINVAL' || code === 'ENOSYS') return false;
    throw error;
  }
}

function renameByLink(from: Place, to: Place): void {
  const source = from.directory.at(from.name);
  fs.linkSync(source, to.directory.at(to.name));
  fs.unlinkSync(source);
}
