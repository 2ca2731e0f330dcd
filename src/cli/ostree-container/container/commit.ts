import { Command } from 'commander';
import { formatBytes } from '../../../base/text.ts';
import { command } from '../../program.ts';

interface Values {
  readonly root?: string;
  readonly dryRun?: true;
}

export function commitCommand(): Command {
  const shape = new Command('commit')
    .description(
      'Inside the build of a container image: empty /run, /tmp, /var/tmp and /var/cache, so that nothing of them ' +
        'becomes part of the image. What is mounted there is left alone.',
    )
    .option('--root <directory>', 'the root of the file system, for builds that do not run in it (default: /)')
    .option('--dry-run', 'say what would be removed');
  const examples = ['RUN dnf install -y htop && ostree-container container commit'];
  return command<Values>(shape, examples, async () => {
    const { emptyBuildRoot } = await import('../../../ostree-container/index.ts');
    return async (values, _args, { output }) => {
      const dryRun = values.dryRun === true;
      const { entries, bytes, skipped } = emptyBuildRoot(values.root, dryRun);
      for (const path of skipped) output.info(`${path}: is mounted, left alone`);
      output.info(
        `${dryRun ? 'would remove' : 'removed'} ${entries === 1 ? '1 entry' : `${entries} entries`}, ${formatBytes(bytes)}`,
      );
      output.document('ostree-container.container-commit/1', {
        root: values.root ?? '/',
        dryRun,
        removed: entries,
        bytes,
        mounted: skipped,
      });
      return 0;
    };
  });
}
