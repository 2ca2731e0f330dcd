import { Command } from 'commander';
import { plural } from '../../../../base/text.ts';
import { EXIT } from '../../../exit-status.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { OBJECTS_STAY, storeCommand, storedName } from './with-store.ts';

interface Values extends RepoValues, LockValues {
  readonly skipGc?: true;
  readonly dryRun?: true;
}

export function removeCommand(): Command {
  const shape = new Command('remove')
    .description('Forget stored images, and then the layers that no other image needs. Objects stay where they are.')
    .argument('<image...>', 'names as "container image list" prints them')
    .option('--skip-gc', 'keep the refs of layers')
    .option('--dry-run', 'say what would go; change nothing');
  const examples = ['ostree-container container image remove --repo /ostree/repo docker://quay.io/example/os:stable'];
  return storeCommand<Values>(repoLockOption(shape), examples, async (values, texts, opened) => {
    const { container, output, repository, signal } = opened;
    const names = texts.map((text) => storedName(container, text));
    const dryRun = values.dryRun === true;
    const options = { signal, dryRun, skipGc: values.skipGc === true, ...repoLockWait(values, opened, repository) };
    const { removed, missing, layers } = await container.removeImages(repository, names, options);
    const { formatImageName } = await import('../../../../images/index.ts');
    output.results(removed.map((name) => `${dryRun ? 'Would remove' : 'Removed'}: ${formatImageName(name)}`));
    for (const name of missing) output.error(container.imageNotStored(repository, name));
    if (layers !== undefined) output.info(`${plural(layers.dropped.length, 'layer')} dropped; ${OBJECTS_STAY}`);
    output.document('ostree-container.container-image-remove/1', {
      removed: removed.map(formatImageName),
      missing: missing.map(formatImageName),
      droppedLayers: layers?.dropped ?? [],
      dryRun,
    });
    return missing.length > 0 ? EXIT.failed : EXIT.done;
  });
}
