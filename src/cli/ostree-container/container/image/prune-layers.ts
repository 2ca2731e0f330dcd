import { Command } from 'commander';
import { plural } from '../../../../base/text.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { OBJECTS_STAY, storeCommand } from './with-store.ts';

interface Values extends RepoValues, LockValues {
  readonly dryRun?: true;
}

export function pruneLayersCommand(): Command {
  const shape = new Command('prune-layers')
    .description(
      'Drop the refs of layers that no stored image, no deployment and no other tool needs. Objects stay where they are.',
    )
    .option('--dry-run', 'say what would go; change nothing');
  const examples = ['ostree-container container image prune-layers --repo /ostree/repo'];
  return storeCommand<Values>(repoLockOption(shape), examples, async (values, _args, opened) => {
    const { container, output, repository, signal } = opened;
    const dryRun = values.dryRun === true;
    const options = { signal, dryRun, ...repoLockWait(values, opened, repository) };
    const { dropped, kept } = await container.pruneLayers(repository, options);
    output.result(`${dryRun ? 'Would drop' : 'Dropped'}: ${plural(dropped.length, 'layer')}`);
    output.info(`${plural(kept, 'layer')} kept; ${OBJECTS_STAY}`);
    output.document('ostree-container.container-image-prune-layers/1', { dropped, kept, dryRun });
    return 0;
  });
}
