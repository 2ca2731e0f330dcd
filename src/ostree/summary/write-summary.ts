/** `summary` and `summary.sig` on the disk. */
import fs from 'node:fs';
import { naming } from '../../linux/calls/system-error.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { writeAll } from '../../linux/files/durable.ts';
import { readBounded } from '../../linux/files/read.ts';
import type { Repository } from '../repository/repository.ts';
import { withTemporary } from '../storage/temporary.ts';
import { SUMMARY_LIMIT } from './summary.ts';

const { O_CREAT, O_EXCL, O_WRONLY } = fs.constants;

/** As it lies there; undefined when there is none. @throws CodedError TOO_LARGE */
export function readSummary(repository: Repository): Uint8Array | undefined {
  return readBounded(repository.directory, 'summary', SUMMARY_LIMIT)?.bytes;
}

/**
 * Both files are whole before the first one gets its name, and have the same modification time, by which HTTP caches
 * and clients can tell that they belong together. Between the two renames an old signature lies beside a new summary:
 * clients fetch again when one does not fit the other.
 * @param signatures undefined: an old `summary.sig` goes
 */
export function writeSummary(repository: Repository, summary: Uint8Array, signatures: Uint8Array | undefined): void {
  const { directory } = repository;
  withTemporary(repository, (staged) => {
    const now = Date.now() / 1000;
    writeNew(staged, 'summary', summary, now);
    if (signatures !== undefined) writeNew(staged, 'summary.sig', signatures, now);
    staged.rename('summary', directory, 'summary');
    if (signatures === undefined) directory.unlink('summary.sig');
    else staged.rename('summary.sig', directory, 'summary.sig');
    directory.sync();
  });
}

function writeNew(directory: Directory, name: string, bytes: Uint8Array, time: number): void {
  const fd = directory.openFile(name, O_WRONLY | O_CREAT | O_EXCL, 0o600);
  try {
    naming(directory.pathOf(name), () => {
      writeAll(fd, bytes);
      fs.fchmodSync(fd, 0o644);
      fs.futimesSync(fd, time, time);
      fs.fsyncSync(fd);
    });
  } finally {
    fs.closeSync(fd);
  }
}
