import { Command } from 'commander';
import type { RepoValues } from '../../../shared-options.ts';
import { repositoryCommand } from '../with-repository.ts';

export function indexesCommand(): Command {
  const shape = new Command('indexes').description('List the commits for which there is an index of static deltas.');
  const examples = ['ostree-container repo delta indexes --repo /srv/repo'];
  return repositoryCommand<RepoValues>(shape, examples, (_values, _args, { output, ostree, repository }) => {
    const commits = ostree.listDeltaIndexes(repository);
    output.results(commits.length === 0 ? ['(No static deltas indexes)'] : commits);
    output.document('ostree-container.repo-delta-indexes/1', { commits });
    return undefined;
  });
}
