/**
 * Directories below the runtime directory that a container mounts: they are gone after a boot, and only the service's own
 * start would make them again. Nothing is made through links, or where another user could change what is made.
 */
import { codeOf } from '../../base/error.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import type { BindSource } from '../../runtime/index.ts';
import type { Places } from '../places/index.ts';

export function makeBindSources({ directories, uid }: Places, sources: readonly BindSource[]): void {
  const { run } = directories;
  for (const { path } of sources) {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    const above = run.split('/').filter((part) => part !== '');
    const isBelow = above.every((part, at) => parts[at] === part) && parts.length > above.length;
    if (isBelow && path.startsWith('/') && !parts.includes('..')) make(run, parts.slice(above.length), uid);
  }
}

/** What cannot be made is left to the runtime, which says what it misses. */
function make(run: string, parts: readonly string[], uid: number): void {
  let at: Directory | undefined;
  try {
    at = openDirectory(run);
    for (const part of parts) {
      const { uid: owner, mode } = at.stat();
      if (at.lstat(part) === undefined && ((owner !== 0 && owner !== uid) || (mode & 0o022) !== 0)) return;
      const next = at.makeDirectory(part, 0o755);
      at.close();
      at = next;
    }
  } catch (error) {
    if (codeOf(error) !== 'NOT_A_DIRECTORY' && codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EACCES') throw error;
  } finally {
    at?.close();
  }
}
