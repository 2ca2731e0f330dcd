import { Command } from 'commander';
import { plural } from '../../base/text.ts';
import { UsageError } from '../arguments.ts';
import { command } from '../program.ts';
import { type LockValues, lockOption, lockWait } from '../shared-options.ts';

interface Values extends LockValues {
  readonly rotate?: true;
  readonly key?: string;
  readonly keyFile?: string;
  readonly oldPublicKey?: string;
  readonly output: string;
  readonly dryRun?: true;
}

export function signCommand(): Command {
  const shape = new Command('sign')
    .description(
      'Sign the manifest of a server directory anew. With --rotate: under a new key, after checking it with the old ' +
        'public key. Clients must list both keys (two PublicKey= lines) before you do this. ' +
        'The new secret key comes from --key, else --key-file, else the environment variable TAKO_SECRET_KEY.',
    )
    .option('--rotate', 'change the key')
    .option('--old-public-key <key>', 'the public key that the manifest is signed with now')
    .option('-k, --key <secret>', 'the new secret key (other users can see it: prefer the other two)')
    .option('-f, --key-file <file>', 'a file that begins with the new secret key')
    .requiredOption('-o, --output <directory>', 'the server directory')
    .option('--dry-run', 'say what would be done, change nothing');
  return command<Values>(
    lockOption(shape),
    ['tako sign --rotate --old-public-key KEY -f new.key -o /srv/www/app'],
    async () => {
      const { formatPublicKey, parsePublicKey, rotateKey } = await import('../../tako/index.ts');
      const { readSecretKey } = await import('./secret-key.ts');
      return async (values, _args, context) => {
        const { output, signal } = context;
        if (values.rotate !== true)
          throw new UsageError('nothing to do without --rotate', '"tako store" signs what it adds');
        if (values.oldPublicKey === undefined) throw new UsageError('--rotate needs --old-public-key');
        const keys = { old: parsePublicKey(values.oldPublicKey.trim()), new: readSecretKey(values, process.env) };
        const dryRun = values.dryRun === true;
        const ports = { wait: lockWait(values, context, values.output), warn: (text: string) => output.warning(text) };
        const { entries, outcome } = await rotateKey(values.output, keys, dryRun, ports, signal);
        const what =
          outcome === 'unchanged'
            ? 'is signed by the new key already'
            : dryRun
              ? 'would be signed anew'
              : 'signed anew';
        output.result(`${values.output}: manifest of ${plural(entries, 'version')} ${what}`);
        output.document('tako.sign/1', {
          directory: values.output,
          dryRun,
          entries,
          outcome,
          publicKey: formatPublicKey(keys.new.publicKey),
        });
        return 0;
      };
    },
  );
}
