import { Command } from 'commander';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { repositoryCommand } from '../with-repository.ts';

interface Values extends RepoValues, LockValues {
  readonly dryRun?: true;
}

export function deleteCommand(): Command {
  const shape = new Command('delete')
    .description('Delete a static delta. Indexes and the summary are as they were: see "repo delta reindex".')
    .argument('<delta>', 'FROM-TO or TO, as "repo delta list" shows it')
    .option('--dry-run', 'say what would be deleted, change nothing');
  const examples = ['ostree-container repo delta delete --repo /srv/repo FROM-TO'];
  return repositoryCommand<Values>(repoLockOption(shape), examples, async (values, [text = ''], opened) => {
    const { output, ostree, repository, signal } = opened;
    const name = ostree.parseDeltaName(text);
    const dryRun = values.dryRun === true;
    await ostree.deleteDelta(repository, name, { signal, dryRun, ...repoLockWait(values, opened, repository) });
    output.info(`delta ${text}: ${dryRun ? 'would be deleted' : 'deleted'}`);
    output.document('ostree-container.repo-delta-delete/1', { delta: text, dryRun });
    return undefined;
  });
}
