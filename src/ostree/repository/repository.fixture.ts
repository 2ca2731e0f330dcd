/** Repositories for tests. */
import { join } from 'node:path';
import { scratch } from '../../../test/support/scratch.ts';
import { sha256 } from '../objects/checksum.ts';
import { encodeCommit } from '../objects/commit.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { encodeDirTree } from '../objects/dirtree.ts';
import { NO_XATTRS } from '../objects/xattrs.ts';
import { withTransaction } from '../storage/transaction.ts';
import type { RepositoryMode } from './config.ts';
import { createRepository, openRepository, type Repository } from './repository.ts';

export const SIGNAL: AbortSignal = new AbortController().signal;

type Test = Parameters<typeof scratch>[0];

export function newRepository(t: Test, mode: RepositoryMode = 'archive', path = join(scratch(t), 'repo')): Repository {
  createRepository(path, { mode });
  return reopened(t, path);
}

export function reopened(t: Test, path: string): Repository {
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

/** No such commit need exist for a ref to name it. */
export function checksumNamed(text: string): string {
  return sha256(Buffer.from(text));
}

/** A commit of an empty directory, not flushed. */
export function emptyCommit(repository: Repository, subject: string, parent?: string): Promise<string> {
  return withTransaction(repository, { signal: SIGNAL, fsync: false }, async ({ writer }) => {
    const tree = writer.putMetadata('dirtree', encodeDirTree({ files: [], directories: [] }));
    const meta = writer.putMetadata('dirmeta', encodeDirMeta({ uid: 0, gid: 0, mode: 0o40755, xattrs: NO_XATTRS }));
    const commit = encodeCommit({
      metadata: [],
      parent,
      related: [],
      subject,
      body: '',
      timestamp: 1_700_000_000,
      rootTree: tree.checksum,
      rootMeta: meta.checksum,
    });
    return writer.putMetadata('commit', commit).checksum;
  });
}
