/** `remote delete`, `remote list` and `remote show-url`. */
import { Command } from 'commander';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { repositoryCommand } from '../with-repository.ts';

interface DeleteValues extends RepoValues, LockValues {
  readonly ifExists?: true;
  readonly dryRun?: true;
}

export function remoteDeleteCommand(): Command {
  const shape = new Command('delete')
    .description('Delete a remote and its keyring. Its refs and commits stay.')
    .argument('<name>', 'name of the remote')
    .option('--if-exists', 'do nothing when there is no such remote')
    .option('--dry-run', 'say what would be deleted, change nothing');
  const examples = ['ostree-container repo remote delete --repo /srv/repo origin'];
  return repositoryCommand<DeleteValues>(repoLockOption(shape), examples, async (values, [name = ''], opened) => {
    const { ostree, repository, output, signal } = opened;
    const isThere = ostree.listRemotes(repository).some((remote) => remote.name === name);
    if (!isThere && values.ifExists !== true) ostree.readRemote(repository, name); // which says what is wrong
    const wait = { signal, ...repoLockWait(values, opened, repository) };
    const dryRun = values.dryRun === true;
    const isDeleted = isThere && (dryRun || (await ostree.deleteRemote(repository, name, wait)));
    if (isThere && !isDeleted) {
      throw new ostree.OstreeError('REMOTE_UNKNOWN', `remote ${name} is one of the parent repository`, {
        subject: name,
      });
    }
    output.info(isDeleted ? `remote ${name} ${dryRun ? 'would be ' : ''}deleted` : `no remote ${name}`);
    output.document('ostree-container.repo-remote-delete/1', { remote: name, deleted: isDeleted && !dryRun, dryRun });
    return 0;
  });
}

interface ListValues extends RepoValues {
  readonly showUrls?: true;
}

export function remoteListCommand(): Command {
  const shape = new Command('list')
    .description('List the remotes of a repository, those of its parent included.')
    .option('-u, --show-urls', 'show their addresses, too');
  const examples = ['ostree-container repo remote list --repo /srv/repo -u'];
  return repositoryCommand<ListValues>(shape, examples, async (values, _args, { ostree, repository, output }) => {
    const remotes = ostree.listRemotes(repository);
    const width = Math.max(0, ...remotes.map(({ name }) => name.length));
    for (const { name, url } of remotes) {
      output.result(values.showUrls === true ? `${name.padEnd(width)}  ${url ?? ''}` : name);
    }
    output.document('ostree-container.repo-remote-list/1', {
      remotes: remotes.map(({ name, url, settings }) => ({
        name,
        url: url ?? null,
        settings: Object.fromEntries(settings),
      })),
    });
    return 0;
  });
}

export function remoteShowUrlCommand(): Command {
  const shape = new Command('show-url')
    .description('Show the address of a remote.')
    .argument('<name>', 'name of the remote');
  const examples = ['ostree-container repo remote show-url --repo /srv/repo origin'];
  return repositoryCommand<RepoValues>(
    shape,
    examples,
    async (_values, [name = ''], { ostree, repository, output }) => {
      const { url, metalink } = ostree.readRemote(repository, name);
      output.result(url ?? metalink ?? '');
      output.document('ostree-container.repo-remote-show-url/1', { remote: name, url: url ?? metalink ?? null });
      return 0;
    },
  );
}
