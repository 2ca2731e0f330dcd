import { Command } from 'commander';
import type { RepoValues } from '../../shared-options.ts';
import { type Opened, repositoryCommand } from './with-repository.ts';

interface Values extends RepoValues {
  readonly raw?: true;
}

export function logCommand(): Command {
  const shape = new Command('log')
    .description('Show a commit and its ancestors, newest first, as far as they are in the repository.')
    .argument('<rev>', 'a ref or a checksum')
    .option('--raw', 'show all of each as GVariant text, the bytes of numbers swapped');
  const examples = ['ostree-container repo log --repo /srv/repo os/main'];
  return repositoryCommand<Values>(shape, examples, async (values, [rev = ''], opened) => {
    const { output, ostree, repository } = opened;
    const { commitDocument } = await import('./commit-document.ts');
    const commits = [];
    const line = ostree.ancestry(ostree.objectsOf(repository), ostree.resolveRevision(repository, rev), -1);
    for (const { checksum, commit } of line) {
      output.results(values.raw === true ? rawCommit(opened, checksum) : ostree.describeCommit(checksum, commit));
      if (output.options.json) commits.push(commitDocument(checksum, commit));
    }
    output.document('ostree-container.repo-log/1', { commits });
    return undefined;
  });
}

function rawCommit({ ostree, repository }: Opened, checksum: string): string[] {
  const object = ostree.objectsOf(repository).metadata(checksum, 'commit');
  return [`commit ${checksum}`, ostree.formatRaw(ostree.variantOfObject('commit', object))];
}
