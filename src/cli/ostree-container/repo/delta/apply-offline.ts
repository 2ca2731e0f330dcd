import { Command } from 'commander';
import { formatBytes, plural } from '../../../../base/text.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { repositoryCommand } from '../with-repository.ts';
import { type KeyValues, keyOptions, namesKeys, verifierFor } from './verification-keys.ts';

interface Values extends RepoValues, LockValues, KeyValues {
  readonly dryRun?: true;
}

export function applyOfflineCommand(): Command {
  const shape = new Command('apply-offline')
    .description(
      'Make the commit of a static delta out of a file and what the repository has. No ref is set. With keys, or where ' +
        'core.sign-verify-deltas is true, the file must be signed.',
    )
    .argument('<file>', 'file of a superblock, or a directory with the file "superblock"')
    .argument('[key...]', 'public keys in base64')
    .option('--dry-run', 'say what would be made, change nothing');
  const examples = [
    'ostree-container repo delta apply-offline --repo /srv/repo update.delta',
    'ostree-container repo delta apply-offline --repo /srv/repo --keys-file public.keys update.delta',
  ];
  return repositoryCommand<Values>(repoLockOption(keyOptions(shape)), examples, async (values, args, opened) => {
    const [file = '', ...texts] = args;
    const { output, ostree, repository, signal } = opened;
    const verifier = namesKeys(values, texts) ? verifierFor(values, texts, opened) : undefined;
    const dryRun = values.dryRun === true;
    const wait = repoLockWait(values, opened, repository);
    const done = await ostree.applyOffline(repository, file, { signal, verifier, dryRun, ...wait });
    const { from, to, isNew, parts, objects, size } = done;
    const made = `${dryRun ? 'would be made' : 'made'} of ${formatBytes(size)} in ${plural(parts, 'part')}`;
    output.info(`commit ${to}: ${isNew ? made : 'is there already'}`);
    const document = { from: from ?? null, to, dryRun, applied: isNew, parts, objects, size };
    output.document('ostree-container.repo-delta-apply-offline/1', document);
    return undefined;
  });
}
