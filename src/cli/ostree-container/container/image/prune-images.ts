import { Command } from 'commander';
import { formatBytes, plural } from '../../../../base/text.ts';
import { UsageError } from '../../../arguments.ts';
import { closing } from '../../../images/with-images.ts';
import { command } from '../../../program.ts';
import { type LockValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { OBJECTS_STAY } from './with-store.ts';

interface Values extends LockValues {
  readonly sysroot: string;
  readonly andLayers?: true;
  readonly full?: true;
  readonly dryRun?: true;
}

export function pruneImagesCommand(): Command {
  const shape = new Command('prune-images')
    .description('Forget the images that no deployment of a sysroot comes from.')
    .option('--sysroot <directory>', 'where ostree/repo and ostree/deploy are', '/')
    .option('--and-layers', 'drop the layers that no image needs then, too')
    .option('--full', 'the same, and delete the objects that nothing leads to')
    .option('--dry-run', 'say which images would go; change nothing');
  const examples = ['ostree-container container image prune-images --sysroot / --full'];
  return command<Values>(repoLockOption(shape), examples, async () => {
    const container = await import('../../../../ostree-container/index.ts');
    return async (values, _args, context) => {
      const { output, signal } = context;
      if (values.andLayers === true && values.full === true) {
        throw new UsageError('--and-layers and --full exclude each other', '--full drops layers, too');
      }
      const repository = container.openSysrootRepository(values.sysroot);
      return closing(repository, async () => {
        const dryRun = values.dryRun === true;
        const also = values.full === true ? 'full' : values.andLayers === true ? 'layers' : 'nothing';
        const waiting = repoLockWait(values, context, repository);
        const options = { sysroot: values.sysroot, also, signal, dryRun, ...waiting } as const;
        const { removed, kept, layers, objects } = await container.pruneImages(repository, options);
        output.results(removed.map((name) => `${dryRun ? 'Would remove' : 'Removed'}: ${name}`));
        output.info(`${plural(kept, 'image')} kept`);
        if (layers !== undefined) output.info(`${plural(layers.dropped.length, 'layer')} dropped`);
        if (objects === undefined) output.info(OBJECTS_STAY);
        else output.result(`Freed: ${formatBytes(objects.freedBytes)}`);
        output.document('ostree-container.container-image-prune-images/1', {
          removed,
          kept,
          droppedLayers: layers?.dropped ?? null,
          deletedObjects: objects?.deleted ?? null,
          freedBytes: objects?.freedBytes ?? null,
          dryRun,
        });
        return 0;
      });
    };
  });
}
