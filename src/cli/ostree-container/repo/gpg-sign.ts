import { Command } from 'commander';
import { plural } from '../../../base/text.ts';
import { UsageError } from '../../arguments.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { describeSigned, type GpgValues, gpgOptions, gpgSigners } from './signing-options.ts';
import { repositoryCommand } from './with-repository.ts';

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
  return repositoryCommand<Values>(
    repoLockOption(gpgOptions(shape)),
    [
      'ostree-container repo gpg-sign --repo /srv/repo os/main 8F3C3388DE8D8F0E',
      'ostree-container repo gpg-sign --repo /srv/repo os/main --gpg-key-file secret.asc --passphrase-file phrase',
    ],
    async (values, [revision = '', ...keyIds], opened) => {
      const { gpgHomedir, dryRun = false } = values;
      assertWords(values, keyIds);
      const { ostree, repository, output, signal } = opened;
      const commit = ostree.resolveRevision(repository, revision);
      const options = { signal, dryRun, ...repoLockWait(values, opened, repository) };
      if (values.delete === true) {
        const removed = await ostree.removeGpgSignatures(repository, commit, { keyIds, gpgHomedir }, options);
        output.info(`${commit}: ${plural(removed, 'signature')} ${dryRun ? 'would be deleted' : 'deleted'}`);
        output.document('ostree-container.repo-gpg-sign/1', { commit, action: 'delete', dryRun, removed });
        return 0;
      }
      const signers = await gpgSigners(keyIds, values, opened);
      const done = await ostree.signCommit(repository, commit, signers, options);
      output.info(`${commit}: ${describeSigned(done, dryRun)}`);
      output.document('ostree-container.repo-gpg-sign/1', { commit, action: 'sign', dryRun, ...done });
      return 0;
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
