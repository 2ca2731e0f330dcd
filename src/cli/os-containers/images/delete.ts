/** `images delete`: names of images go, their layers stay until they are pruned. */
import { Command } from 'commander';
import type { DeletedImage } from '../../../system-containers/index.ts';
import { hostCommand } from '../with-host.ts';

interface Values {
  readonly force?: true;
  readonly dryRun?: true;
}

export function deleteCommand(): Command {
  const shape = new Command('delete')
    .description(
      'Forget stored images. Their layers stay until "images prune"; the last name of an image that a container comes from stays without --force.',
    )
    .argument('<image...>', 'name, or the beginning of its digest')
    .option('-f, --force', 'also when a container comes from it')
    .option('--dry-run', 'say what would be deleted, change nothing');
  const examples = ['os-containers images delete docker.io/library/redis:6', 'os-containers images delete 3f2a'];
  return hostCommand<Values>(shape, examples, async (values, names, context) => {
    const { containers, host, output, openRepository } = context;
    const repository = openRepository();
    const dryRun = values.dryRun === true;
    const options = { signal: host.signal, timeoutMs: host.lockTimeoutMs, dryRun, force: values.force === true };
    const inUse = () => containers.deployedImages(host.places);
    const deleted: DeletedImage[] = [];
    for (const name of names) {
      const gone = await containers.deleteImage(repository, name, { ...options, inUse });
      output.info(`image ${gone.name} ${dryRun ? 'would be deleted' : 'deleted'}`);
      deleted.push(gone);
    }
    output.document('os-containers.images-delete/1', {
      dryRun,
      deleted: deleted.map(({ name, digest }) => ({ name, digest: digest ?? null })),
    });
    return 0;
  });
}
