/** One barrier for a whole transaction. */
import { CodedError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { systemCalls } from '../calls/ffi.ts';
import { naming } from '../calls/system-error.ts';
import { findProgram } from '../processes/find-program.ts';
import type { Directory } from './directory.ts';

/**
 * syncfs(2) on the file system of a directory; without koffi the `sync` program makes the same call.
 * @throws CodedError NO_SYNCFS without either, SYNC_FAILED; SystemError EIO, and DISK_FULL, as fsync
 */
export function syncFileSystem(directory: Directory): void {
  const calls = systemCalls();
  if (calls !== undefined) naming(directory.path, () => calls.syncfs(directory.fd));
  else syncByProgram(directory);
}

function syncByProgram(directory: Directory): void {
  const program = findProgram('sync');
  if (program === undefined) {
    throw new CodedError('NO_SYNCFS', 'the file system cannot be flushed: no koffi and no sync program', {
      hint: 'install the npm package koffi, or coreutils',
    });
  }
  const { spawnSync } = process.getBuiltinModule('node:child_process'); // only here, for it takes long to load
  const { status, stderr, error } = spawnSync(program, ['-f', '/proc/self/fd/3'], {
    stdio: ['ignore', 'ignore', 'pipe', directory.fd],
    encoding: 'utf8',
  });
  if (status === 0) return;
  const said = printable((stderr ?? '').trim()) || `status ${status}`;
  const message = `${printable(directory.path)}: not flushed to disk: ${program}: ${said}`;
  throw new CodedError('SYNC_FAILED', message, { cause: error, subject: directory.path });
}
