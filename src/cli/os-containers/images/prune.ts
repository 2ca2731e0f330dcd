/** `images prune`: what nothing needs any more. */
import { Command } from 'commander';
import { hostCommand } from '../with-host.ts';

interface Values {
  readonly dryRun?: true;
}

export function pruneCommand(): Command {
  const shape = new Command('prune')
    .description(
      'Delete layers and configurations that belong to no image with a name and to no deployment, and then what nothing in the repository leads to.',
    )
    .option('--dry-run', 'say what would be deleted, change nothing');
  const examples = ['os-containers images prune', 'os-containers images prune --dry-run'];
  return hostCommand<Values>(shape, examples, async (values, _args, context) => {
    const { containers, host, output, openRepository } = context;
    const dryRun = values.dryRun === true;
    const repository = openRepository();
    const options = { signal: host.signal, timeoutMs: host.lockTimeoutMs, dryRun };
    const inUse = () => containers.deployedImages(host.places);
    const { kept, deleted, objects, bytes } = await containers.pruneImages(host, repository, { ...options, inUse });
    output.document('os-containers.images-prune/1', {
      ...{ dryRun, kept: [...kept], deleted: [...deleted], objects, bytes },
    });
    return 0;
  });
}
