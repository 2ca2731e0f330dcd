import { closeSync, fsyncSync, openSync } from 'node:fs';
import { Command } from 'commander';
import { naming } from '../../../linux/calls/system-error.ts';
import { writeAll } from '../../../linux/files/write.ts';
import { UsageError } from '../../arguments.ts';
import { readSecretLine } from '../../images/settings.ts';
import { command } from '../../program.ts';

const SCHEMA = 'ostree-container.image-generate-sigstore-key/1';

interface Values {
  readonly outputPrefix?: string;
  readonly passphraseFile?: string;
}

export function generateSigstoreKeyCommand(): Command {
  const shape = new Command('generate-sigstore-key')
    .description(
      'Make a pair of keys for signatures of cosign: PREFIX.private, under a passphrase, and PREFIX.pub. Files that ' +
        'are there are not overwritten.',
    )
    .requiredOption('--output-prefix <prefix>', 'path of both files, without their endings')
    .option('--passphrase-file <file>', 'the first line is the passphrase (default: $COSIGN_PASSWORD)');
  const examples = ['ostree-container image generate-sigstore-key --passphrase-file secret --output-prefix os'];
  return command<Values>(shape, examples, async () => {
    const { generateSigstoreKey } = await import('../../../trust/index.ts');
    return async ({ outputPrefix = '', passphraseFile }, _args, { output }) => {
      const { privatePem, publicPem } = await generateSigstoreKey(Buffer.from(readPassphrase(passphraseFile)));
      const [privateKey, publicKey] = [`${outputPrefix}.private`, `${outputPrefix}.pub`];
      writeNew(privateKey, privatePem, 0o600);
      writeNew(publicKey, publicPem, 0o644);
      output.result(privateKey);
      output.result(publicKey);
      output.document(SCHEMA, { privateKey, publicKey });
      return 0;
    };
  });
}

/** An empty one has to be said: an empty file, or an empty variable. */
function readPassphrase(file: string | undefined): string {
  const passphrase = file === undefined ? process.env['COSIGN_PASSWORD'] : readSecretLine(file);
  if (passphrase !== undefined) return passphrase;
  throw new UsageError('a passphrase is needed', 'write --passphrase-file FILE, or set COSIGN_PASSWORD');
}

/** @throws SystemError EEXIST */
function writeNew(path: string, text: string, mode: number): void {
  naming(path, () => {
    const fd = openSync(path, 'wx', mode);
    try {
      writeAll(fd, Buffer.from(text));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}
