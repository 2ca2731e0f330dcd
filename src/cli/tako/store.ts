import { Command, Option } from 'commander';
import { jsonSize } from '../../base/json.ts';
import { formatBytes } from '../../base/text.ts';
import { UsageError } from '../arguments.ts';
import { type Context, command } from '../program.ts';
import { type LockValues, lockOption, lockWait } from '../shared-options.ts';

interface Values extends LockValues {
  readonly key?: string;
  readonly keyFile?: string;
  readonly output: string;
  readonly removeImage?: string;
  readonly dryRun?: true;
}

export function storeCommand(): Command {
  const shape = new Command('store')
    .description(
      'Add an image to a server directory under a version and sign its manifest anew. ' +
        'The secret key comes from --key, else --key-file, else the environment variable TAKO_SECRET_KEY. ' +
        'A key on the command line can be seen by other users of this machine: prefer the other two.',
    )
    .addOption(new Option('-k, --key <secret>', 'the secret key'))
    .option('-f, --key-file <file>', 'a file that begins with the secret key')
    .requiredOption('-o, --output <directory>', 'the server directory')
    .option('--remove-image <version>', 'withdraw: delete the image of this version, keep its entry (needs no key)')
    .option('--dry-run', 'say what would be done, change nothing')
    .argument('[image]', 'the file to publish')
    .argument('[version]', 'its version, such as 1.2.0');
  return command<Values>(
    lockOption(shape),
    [
      'tako store -f app.key -o /srv/www/app app-1.2.0.squashfs 1.2.0',
      'tako store --remove-image 1.2.0 -o /srv/www/app',
    ],
    async () => {
      const { publishImage } = await import('../../tako/index.ts');
      const { readSecretKey } = await import('./secret-key.ts');
      return async (values, [image, version], context) => {
        const { output, progress, signal } = context;
        if (values.removeImage !== undefined) {
          if (image !== undefined) throw new UsageError('--remove-image takes no image and no version beside its own');
          return withdraw(values.removeImage, values, context);
        }
        if (image === undefined || version === undefined) throw new UsageError('name an image and its version');
        const key = readSecretKey(values, process.env);
        if (values.key !== undefined)
          output.warning('a key on the command line can be seen by other users: prefer --key-file');
        const publication = { directory: values.output, image, version, dryRun: values.dryRun === true };
        const ports = { progress: progress.emit, wait: lockWait(values, context, values.output) };
        const { entry, outcome } = await publishImage(publication, key, ports, signal);
        output.result(`${entry.version.text} -> ${entry.sha256}`);
        explain(context, outcome, publication.dryRun, entry.size);
        output.document('tako.store/1', {
          version: entry.version.text,
          digest: `sha256:${entry.sha256}`,
          size: jsonSize(entry.size),
          outcome,
          dryRun: publication.dryRun,
          directory: values.output,
        });
        return 0;
      };
    },
  );
}

async function withdraw(version: string, values: Values, context: Context): Promise<number> {
  const { withdrawImage } = await import('../../tako/index.ts');
  const { output, signal } = context;
  const dryRun = values.dryRun === true;
  const ports = { wait: lockWait(values, context, values.output) };
  const { entry, removed } = await withdrawImage(values.output, version, dryRun, ports, signal);
  const what = removed ? (dryRun ? 'would be deleted' : 'deleted') : 'was gone already';
  output.result(`${entry.version.text}: image ${what}, its entry stays`);
  output.info('let the web server answer 410 (gone) for it: clients then take the next older version');
  output.document('tako.remove-image/1', {
    directory: values.output,
    version: entry.version.text,
    digest: `sha256:${entry.sha256}`,
    removed,
    dryRun,
  });
  return 0;
}

function explain({ output }: Context, outcome: string, dryRun: boolean, size: bigint): void {
  if (dryRun)
    return output.info(
      outcome === 'unchanged' ? 'nothing to do' : `would publish ${formatBytes(size)}; nothing was changed`,
    );
  if (outcome === 'unchanged') output.info('was published already, nothing changed');
  if (outcome === 'repaired') output.info('was published already, its file was missing or damaged and is there again');
}
