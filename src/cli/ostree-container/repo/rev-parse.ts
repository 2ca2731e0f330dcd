import { Command } from 'commander';
import { UsageError } from '../../arguments.ts';
import type { RepoValues } from '../../shared-options.ts';
import { repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues {
  readonly single?: true;
}

export function revParseCommand(): Command {
  const shape = new Command('rev-parse')
    .description(
      'Show the checksums that names stand for: a ref, REMOTE:REF, the beginning of a checksum, or each of them with ' +
        '^ for the parent. A checksum stands for itself, whether or not the commit is there.',
    )
    .argument('[rev...]', 'names')
    .option('-S, --single', 'the only commit of the repository; an error when there are none or several');
  const examples = [
    'ostree-container repo rev-parse --repo /srv/repo os/main os/main^',
    'ostree-container repo rev-parse --repo /srv/repo --single',
  ];
  return repositoryCommand<Values>(shape, examples, (values, revs, { output, ostree, repository }) => {
    if (values.single === true && revs.length > 0) throw new UsageError('--single goes without names');
    if (values.single !== true && revs.length === 0) throw new UsageError('name at least one revision');
    const commits =
      values.single === true
        ? [{ rev: null, commit: ostree.singleCommit(repository) }]
        : revs.map((rev) => ({ rev, commit: ostree.resolveRevision(repository, rev) }));
    output.results(commits.map(({ commit }) => commit));
    output.document('ostree-container.repo-rev-parse/1', { commits });
    return undefined;
  });
}
