/** `images prune`: what nothing needs any more. */
import { Command } from 'commander';
import { hostCommand } from '../with-host.ts';
import { inUse } from './deployed.ts';

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
    const options = { signal: host.signal, timeoutMs: host.lockTimeoutMs };
    // Nothing may be deployed between the look at the deployments and the end of the pruning.
    const held = dryRun ? undefined : await repository.lock.acquire('exclusive', options);
    try {
      const pruned = await containers.pruneImages(host, repository, { ...options, dryRun, inUse: inUse(context) });
      const { kept, deleted, objects, bytes } = pruned;
      output.document('os-containers.images-prune/1', {
        ...{ dryRun, kept: [...kept], deleted: [...deleted], objects, bytes },
      });
    } finally {
      held?.release();
    }
    return 0;
  });
}
