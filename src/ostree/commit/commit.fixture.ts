/** A repository for one test, and work in it. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { createRepository, openRepository, type Repository } from '../repository/repository.ts';
import { type Transaction, withTransaction } from '../storage/transaction.ts';
import { MutableTree } from './mutable-tree.ts';

export const signal: AbortSignal = new AbortController().signal;

export function emptyRepository(t: TestContext, mode: RepositoryMode = 'archive'): Repository {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode });
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

export function transact<T>(repository: Repository, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return withTransaction(repository, { signal, fsync: false }, work);
}

/** Every path of a tree: directories end in `/`, files are their checksums. */
export function listed(tree: MutableTree, prefix = ''): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, entry] of tree.entries()) {
    if (entry instanceof MutableTree)
      Object.assign(all, { [`${prefix}${name}/`]: '' }, listed(entry, `${prefix}${name}/`));
    else all[`${prefix}${name}`] = entry;
  }
  return all;
}
