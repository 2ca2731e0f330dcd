/** A repository for the time of one command. */

import type { Command } from 'commander';
import type * as Ostree from '../../../ostree/index.ts';
import { type Context, command } from '../../program.ts';
import { type LockValues, type RepoValues, repoLockWait, repoOption, repoPath } from '../../shared-options.ts';

export interface Opened extends Context {
  readonly ostree: typeof Ostree;
  readonly repository: Ostree.Repository;
}

/** A command that opens the repository, works, and closes it. @param work its exit status, 0 when it returns nothing */
export function repositoryCommand<Values extends RepoValues>(
  shape: Command,
  examples: readonly string[],
  work: (values: Values, args: readonly string[], opened: Opened) => Promise<number | undefined> | undefined,
): Command {
  return command<Values>(repoOption(shape), examples, async () => {
    const ostree = await import('../../../ostree/index.ts');
    return async (values, args, context) => {
      const repository = ostree.openRepository(repoPath(values));
      try {
        return (await work(values, args, { ...context, ostree, repository })) ?? 0;
      } finally {
        repository.close();
      }
    };
  });
}

/**
 * Nobody deletes what refs lead to while this is done; only where the configuration wants locks. A dry run changes
 * nothing, and is for those, too, who may not write.
 */
export async function underLock(
  opened: Opened,
  kind: 'shared' | 'exclusive',
  values: LockValues & { readonly dryRun?: true },
  work: () => void,
): Promise<void> {
  const { repository, signal } = opened;
  const options = { signal, ...repoLockWait(values, opened, repository) };
  const needsLock = repository.config.locking && values.dryRun !== true;
  const held = needsLock ? await repository.lock.acquire(kind, options) : undefined;
  try {
    work();
  } finally {
    held?.release();
  }
}
