import { Command } from 'commander';
import { plural } from '../../../../base/text.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { repositoryCommand } from '../with-repository.ts';

interface Values extends RepoValues, LockValues {
  readonly to?: string;
  readonly dryRun?: true;
}

export function reindexCommand(): Command {
  const shape = new Command('reindex')
    .description('Write the indexes by which clients find static deltas. "repo summary --update" does so, too.')
    .option('--to <rev>', 'only the index of this commit')
    .option('--dry-run', 'say which deltas there are, change nothing');
  const examples = ['ostree-container repo delta reindex --repo /srv/repo'];
  return repositoryCommand<Values>(repoLockOption(shape), examples, async (values, _args, opened) => {
    const { output, ostree, repository, signal } = opened;
    const to = values.to === undefined ? undefined : ostree.resolveRevision(repository, values.to);
    const dryRun = values.dryRun === true;
    const wait = repoLockWait(values, opened, repository);
    const deltas = await ostree.reindexDeltas(repository, { signal, to, dryRun, ...wait });
    output.info(`${repository.path}: ${plural(deltas, 'delta')} ${dryRun ? 'would be indexed' : 'indexed'}`);
    output.document('ostree-container.repo-delta-reindex/1', { to: to ?? null, dryRun, deltas });
    return undefined;
  });
}
