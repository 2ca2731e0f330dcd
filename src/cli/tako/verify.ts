import { Command } from 'commander';
import { jsonSize } from '../../base/json.ts';
import { formatBytes, plural, printable } from '../../base/text.ts';
import type { Verified } from '../../tako/index.ts';
import { EXIT, worstStatus } from '../exit-status.ts';
import { command } from '../program.ts';
import { type LockValues, lockOption, type TransferValues, transferOptions } from '../shared-options.ts';

interface Values extends LockValues, TransferValues {
  readonly repair?: true;
  readonly dryRun?: true;
}

export function verifyCommand(): Command {
  const shape = new Command('verify')
    .description(
      'Hash every stored image and compare it with the signed manifest. Without configurations: all of them. ' +
        'Exit status 3 when an image is damaged or missing and was not repaired.',
    )
    .option('--repair', 'fetch what is damaged or missing again')
    .option('--dry-run', 'with --repair: say what would be fetched, change nothing')
    .argument('[config...]', 'configuration files');
  return command<Values>(
    transferOptions(lockOption(shape)),
    ['tako verify', 'tako verify --repair /etc/tako/app'],
    async () => {
      const { openOrigin, verifyStore } = await import('../../tako/index.ts');
      const { eachConfig, namedOrAll } = await import('./each-config.ts');
      const { lazyClient } = await import('./http-client.ts');
      const { portsOf } = await import('./ports.ts');
      return async (values, paths, context) => {
        const { output, signal } = context;
        const options = { repair: values.repair === true, dryRun: values.dryRun === true };
        const http = lazyClient(values, context);
        const statuses: number[] = [];
        try {
          const status = await eachConfig(
            namedOrAll(paths, context),
            context,
            'tako.verify/1',
            options,
            async (config) => {
              const origins = config.origins.map((url) => openOrigin(url, http.get));
              const images = await verifyStore(
                config,
                options,
                { ...portsOf(config, values, context), origins },
                signal,
              );
              const bad = images.filter(({ condition }) => condition === 'damaged' || condition === 'missing');
              if (bad.length > 0 && !(options.repair && options.dryRun)) statuses.push(EXIT.refused);
              for (const image of images) {
                if (image.condition !== 'whole') output.warning(`${config.path}: ${describe(image, options.dryRun)}`);
              }
              const listed = images.filter(({ condition }) => condition !== 'unlisted'); // the others were not hashed
              const count = plural(listed.length, 'image');
              output.result(
                `${config.path}: ${bad.length === 0 ? `${count} whole` : `${bad.length} of ${count} damaged or missing`}`,
              );
              return { images: images.map(documentOf) };
            },
          );
          return worstStatus([status, ...statuses]);
        } finally {
          await http.close();
        }
      };
    },
  );
}

function describe({ entry, sha256, condition, current, bytes }: Verified, dryRun: boolean): string {
  const name = `${current ? 'current image' : 'image'} ${printable(entry?.version.text ?? sha256)}`;
  if (condition === 'unlisted') return `${name}: no version of the manifest names it`;
  const fetched =
    bytes === 0
      ? ''
      : dryRun
        ? `, would fetch ${formatBytes(bytes)}`
        : condition === 'repaired'
          ? `, ${formatBytes(bytes)} fetched`
          : '';
  return `${name} ${condition === 'repaired' ? 'was repaired' : `is ${condition}`}${fetched}`;
}

function documentOf({ entry, sha256, condition, current, bytes }: Verified) {
  return {
    version: entry?.version.text ?? null,
    digest: `sha256:${sha256}`,
    size: entry === undefined ? null : jsonSize(entry.size),
    condition,
    current,
    bytes,
  };
}
