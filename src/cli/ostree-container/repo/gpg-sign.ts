import { Command } from 'commander';
import { plural } from '../../../base/text.ts';
import { UsageError } from '../../arguments.ts';
import { command } from '../../program.ts';
import {
  type LockValues,
  type RepoValues,
  repoLockOption,
  repoLockWait,
  repoOption,
  repoPath,
} from '../../shared-options.ts';
import { describeSigned, type GpgValues, gpgOptions, gpgSigners } from './signing-options.ts';

interface Values extends RepoValues, LockValues, GpgValues {
  readonly delete?: true;
  readonly dryRun?: true;
}

export function gpgSignCommand(): Command {
  const shape = new Command('gpg-sign')
    .description(
      'Sign a commit with OpenPGP keys: by the gpg program, or with --gpg-key-file without it. With --delete: delete ' +
        'the signatures that name these keys, good or bad.',
    )
    .argument('<commit>', 'a checksum or a ref')
    .argument('[key-id...]', 'key ids, fingerprints or mail addresses')
    .option('-d, --delete', 'delete the signatures of these keys')
    .option('--dry-run', 'say what would be done, change nothing');
  return command<Values>(
    repoLockOption(gpgOptions(repoOption(shape))),
    [
      'ostree-container repo gpg-sign --repo /srv/repo os/main 8F3C3388DE8D8F0E',
      'ostree-container repo gpg-sign --repo /srv/repo os/main --gpg-key-file secret.asc --passphrase-file phrase',
    ],
    async () => {
      const ostree = await import('../../../ostree/index.ts');
      return async (values, args, context) => {
        const [revision = '', ...keyIds] = args;
        const { gpgHomedir, dryRun = false } = values;
        assertWords(values, keyIds);
        const repository = ostree.openRepository(repoPath(values));
        try {
          const commit = ostree.resolveRevision(repository, revision);
          const { output, signal } = context;
          const options = { signal, dryRun, ...repoLockWait(values, context, repository) };
          if (values.delete === true) {
            const removed = await ostree.removeGpgSignatures(repository, commit, { keyIds, gpgHomedir }, options);
            output.info(`${commit}: ${plural(removed, 'signature')} ${dryRun ? 'would be deleted' : 'deleted'}`);
            output.document('ostree-container.repo-gpg-sign/1', { commit, action: 'delete', dryRun, removed });
            return 0;
          }
          const signers = await gpgSigners(keyIds, values, context);
          const done = await ostree.signCommit(repository, commit, signers, options);
          output.info(`${commit}: ${describeSigned(done, dryRun)}`);
          output.document('ostree-container.repo-gpg-sign/1', { commit, action: 'sign', dryRun, ...done });
          return 0;
        } finally {
          repository.close();
        }
      };
    },
  );
}

function assertWords(values: Values, keyIds: readonly string[]): void {
  if (values.delete === true && (values.gpgKeyFile !== undefined || values.passphraseFile !== undefined)) {
    throw new UsageError('--delete needs no secret key');
  }
  if (keyIds.length === 0 && values.gpgKeyFile === undefined) {
    throw new UsageError('no key is named', 'write a key id behind the commit, or --gpg-key-file FILE');
  }
}
