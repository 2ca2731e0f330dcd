import { Command } from 'commander';
import type { RepoValues } from '../../../shared-options.ts';
import { repositoryCommand } from '../with-repository.ts';

export function listCommand(): Command {
  const shape = new Command('list').description('List the static deltas of a repository: FROM-TO, or TO.');
  const examples = ['ostree-container repo delta list --repo /srv/repo'];
  return repositoryCommand<RepoValues>(shape, examples, (_values, _args, { output, ostree, repository }) => {
    const names = ostree.listDeltas(repository);
    output.results(names.length === 0 ? ['(No static deltas)'] : names.map(ostree.deltaName));
    output.document('ostree-container.repo-delta-list/1', {
      deltas: names.map((name) => ({ delta: ostree.deltaName(name), from: name.from ?? null, to: name.to })),
    });
    return undefined;
  });
}
