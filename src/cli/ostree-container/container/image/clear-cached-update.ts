import { Command } from 'commander';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { storeCommand, storedName } from './with-store.ts';

export function clearCachedUpdateCommand(): Command {
  const shape = new Command('clear-cached-update')
    .description('Forget what an earlier pull has learned of a newer image.')
    .argument('<image>', 'a name as "container image list" prints it');
  const examples = [
    'ostree-container container image clear-cached-update --repo /ostree/repo docker://quay.io/example/os:stable',
  ];
  return storeCommand<RepoValues & LockValues>(repoLockOption(shape), examples, async (values, [text = ''], opened) => {
    const { container, output, repository, signal } = opened;
    const { commit } = container.findImage(repository, storedName(container, text));
    const options = { signal, ...repoLockWait(values, opened, repository) };
    const cleared = await container.clearCachedUpdate(repository, commit, options);
    output.info(cleared ? `commit ${commit}: forgot the update` : `commit ${commit}: there was nothing to forget`);
    output.document('ostree-container.container-image-clear-cached-update/1', { commit, cleared });
    return 0;
  });
}
