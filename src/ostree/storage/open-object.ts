/** The file of an object, opened: a regular one and nothing else, whatever somebody put in its place. */
import fs from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { malformed } from '../error.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants;

/**
 * Links are not followed, a FIFO is not waited for. The caller closes it.
 * @throws OstreeError OBJECT_MALFORMED for anything but a regular file; SystemError ENOENT
 */
export function openObject(path: string, what: string): { readonly fd: number; readonly size: number } {
  const fd = openUnlessLink(path, what);
  const stats = fs.fstatSync(fd);
  if (stats.isFile()) return { fd, size: stats.size };
  fs.closeSync(fd);
  throw malformed(what, 'expected a regular file');
}

function openUnlessLink(path: string, what: string): number {
  try {
    return fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // ENXIO: a socket
    if (codeOf(error) !== 'ELOOP' && codeOf(error) !== 'ENXIO') throw error;
    throw malformed(what, 'expected a regular file', { cause: error });
  }
}
