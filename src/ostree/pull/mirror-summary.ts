/** A mirror of everything also has the summary, byte for byte, and the signature that belongs to it. */
import type { Repository } from '../repository/repository.ts';
import { replaceInRepository } from '../storage/temporary.ts';
import type { RemoteSummary } from './remote-summary.ts';

export function storeMirroredSummary(repository: Repository, remote: RemoteSummary | undefined): void {
  if (remote === undefined) return;
  const { directory } = repository;
  const write = (name: string, bytes: Uint8Array): void =>
    replaceInRepository(repository, { directory, name }, bytes, 0o644);
  write('summary', remote.bytes);
  if (remote.signature !== undefined) write('summary.sig', remote.signature);
  else if (directory.unlink('summary.sig')) directory.sync();
}
