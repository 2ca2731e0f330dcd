/** A file by its path, for reading, with the same care for links as for directories. */
import { basename, dirname, resolve } from 'node:path';
import { CodedError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { type Directory, openDirectory } from './directory.ts';
import { assertSafeOwner } from './owner.ts';
import { readBounded, type SmallFile } from './read.ts';
import { errnoOf, SystemError } from './system-error.ts';

/** As many as the kernel follows. */
const LINK_LIMIT = 40;

/**
 * A small regular file, whole. A link as the last component is followed only where nobody else could have put it.
 * @throws CodedError UNSAFE_LINK, UNSAFE_OWNER, NOT_A_REGULAR_FILE, TOO_LARGE; SystemError (ENOENT ...)
 */
export function readFileSafely(path: string, limit: number): SmallFile {
  let here = path;
  for (let links = 0; links <= LINK_LIMIT; links++) {
    const directory = openDirectory(dirname(here));
    try {
      const name = basename(here);
      if (!directory.lstat(name)?.isSymbolicLink()) return readNamed(directory, name, limit, path);
      assertSafeOwner(directory.stat(), { path: directory.path });
      here = resolve(directory.path, directory.readLink(name) ?? '');
    } finally {
      directory.close();
    }
  }
  throw new SystemError(errnoOf('ELOOP'), 'open', path);
}

function readNamed(directory: Directory, name: string, limit: number, path: string): SmallFile {
  if (name === '' || name === '.' || name === '..') {
    throw new CodedError('NOT_A_REGULAR_FILE', `${printable(path)}: not a regular file`, { subject: path });
  }
  const file = readBounded(directory, name, limit);
  if (file === undefined) throw new SystemError(errnoOf('ENOENT'), 'open', path);
  return file;
}
