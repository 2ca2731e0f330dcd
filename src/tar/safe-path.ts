import { quote } from '../base/text.ts';
import { TarError } from './error.ts';

/**
 * The components of an entry's path, relative to wherever the archive is unpacked. Empty for the root itself (`./`).
 * A leading `/`, doubled slashes and `.` vanish, as they do in every tar.
 *
 * @throws TarError TAR_PATH for a `..` anywhere, or a NUL
 */
export function safePath(path: string): readonly string[] {
  if (path.includes('\0')) throw new TarError('TAR_PATH', `tar path ${quote(path)}: holds a NUL`);
  const parts = path.split('/');
  if (parts.includes('..')) throw new TarError('TAR_PATH', `tar path ${quote(path)}: leads out of the archive`);
  return parts.every(isName) ? parts : parts.filter(isName);
}

function isName(part: string): boolean {
  return part !== '' && part !== '.';
}
