import { Command } from 'commander';
import { command } from '../program.ts';

export function genKeyCommand(): Command {
  const shape = new Command('gen-key').description(
    'Make a key pair and print it. Nothing is written to disk: keep the secret key where only the publisher can read it.',
  );
  return command(
    shape,
    ['tako gen-key', "umask 077; tako gen-key | tee app.pair | grep '^SECRET+' > app.key"],
    async () => {
      const { formatPublicKey, formatSecretKey, generateSecretKey } = await import('../../tako/index.ts');
      return async (_values, _args, { output }) => {
        const key = generateSecretKey();
        output.result('Key pair (keep it secret, it signs for you):');
        output.result(formatSecretKey(key));
        output.result('');
        output.result('Public key:');
        output.result(formatPublicKey(key.publicKey));
        output.document('tako.gen-key/1', {
          secretKey: formatSecretKey(key),
          publicKey: formatPublicKey(key.publicKey),
        });
        return 0;
      };
    },
  );
}
