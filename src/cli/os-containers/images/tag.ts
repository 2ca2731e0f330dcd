/** `images tag`: a second name for a stored image. */
import { Command } from 'commander';
import { hostCommand } from '../with-host.ts';

interface Values {
  readonly dryRun?: true;
}

export function tagCommand(): Command {
  const shape = new Command('tag')
    .description('Give a stored image a second name; what had that name before has it no more.')
    .argument('<source>', 'name, or the beginning of its digest')
    .argument('<destination>', 'new name')
    .option('--dry-run', 'say what would be done, change nothing');
  const examples = ['os-containers images tag registry.example/kvd:2.0 registry.example/kvd:1.0'];
  return hostCommand<Values>(shape, examples, async (values, [source = '', destination = ''], context) => {
    const { containers, host, output, openRepository } = context;
    const dryRun = values.dryRun === true;
    const repository = openRepository();
    const options = { dryRun, signal: host.signal, timeoutMs: host.lockTimeoutMs };
    const name = await containers.tagImage(repository, source, destination, options);
    const { digest } = containers.imageOf(repository, dryRun ? source : name);
    output.info(`${name}: ${dryRun ? 'would be' : 'is'} ${digest}`);
    output.document('os-containers.images-tag/1', { dryRun, name, digest });
    return 0;
  });
}
