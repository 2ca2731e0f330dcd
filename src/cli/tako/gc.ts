import { Command } from 'commander';
import { jsonSize } from '../../base/json.ts';
import { formatBytes, plural, printable } from '../../base/text.ts';
import type { Collected } from '../../tako/index.ts';
import { command } from '../program.ts';
import { type LockValues, lockOption, lockWait } from '../shared-options.ts';

interface Values extends LockValues {
  readonly dryRun?: true;
}

export function gcCommand(): Command {
  const shape = new Command('gc')
    .description(
      'Delete stored images beyond KeepVersions= and KeepBytes=, and what killed runs left behind. ' +
        'The current and the previous image are never deleted.',
    )
    .option('--dry-run', 'say what would be deleted, change nothing')
    .argument('<config...>', 'configuration files');
  return command<Values>(lockOption(shape), ['tako gc /etc/tako/app', 'tako gc --dry-run /etc/tako/*'], async () => {
    const { collect } = await import('../../tako/index.ts');
    const { eachConfig } = await import('./each-config.ts');
    return async (values, paths, context) => {
      const { output, signal } = context;
      const dryRun = values.dryRun === true;
      return eachConfig(paths, context, 'tako.gc/1', { dryRun }, async (config) => {
        const ports = {
          wait: lockWait(values, context, config.path),
          now: Date.now,
          warn: (text: string) => output.warning(`${config.path}: ${text}`),
        };
        const collected = await collect(config, dryRun, ports, signal);
        output.result(`${config.path}: ${describe(collected, dryRun)}`);
        for (const image of collected.images) {
          output.info(
            `${config.path}: ${dryRun ? 'would delete' : 'deleted'} ${printable(image.entry?.version.text ?? 'unlisted')} ${image.sha256}`,
          );
        }
        return documentOf(collected);
      });
    };
  });
}

function describe({ images, leftovers }: Collected, dryRun: boolean): string {
  if (images.length + leftovers.length === 0) return 'nothing to delete';
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  const parts = [
    ...(images.length > 0 ? [`${plural(images.length, 'image')} (${formatBytes(bytes)})`] : []),
    ...(leftovers.length > 0 ? [plural(leftovers.length, 'leftover')] : []),
  ];
  return `${dryRun ? 'would delete' : 'deleted'} ${parts.join(' and ')}`;
}

function documentOf({ images, leftovers }: Collected) {
  return {
    images: images.map((image) => ({
      version: image.entry?.version.text ?? null,
      digest: `sha256:${image.sha256}`,
      size: jsonSize(image.bytes),
    })),
    leftovers: [...leftovers],
  };
}
