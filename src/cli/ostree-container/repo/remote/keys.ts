/** `remote gpg-import` and `remote gpg-list-keys`. */
import { Command } from 'commander';
import { plural } from '../../../../base/text.ts';
import type { listKeys } from '../../../../ostree/index.ts';
import { UsageError } from '../../../arguments.ts';
import { repeatable } from '../../../repeatable.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { repositoryCommand } from '../with-repository.ts';
import { readKeyFiles, readKeysFromInput } from './key-files.ts';

type KeyInfo = Awaited<ReturnType<typeof listKeys>>[number];

interface ImportValues extends RepoValues, LockValues {
  readonly keyring?: readonly string[];
  readonly stdin?: true;
  readonly dryRun?: true;
}

export function remoteGpgImportCommand(): Command {
  const shape = new Command('gpg-import')
    .description('Put OpenPGP keys into the keyring of a remote. Keys that are there stay; copies of a key are merged.')
    .argument('<name>', 'name of the remote')
    .addOption(repeatable('-k, --keyring <file>', 'file with keys: binary, ASCII armor, or keybox'))
    .option('--stdin', 'read keys from standard input')
    .option('--dry-run', 'say which keys would be imported, change nothing');
  const examples = ['ostree-container repo remote gpg-import --repo /srv/repo origin -k key.asc'];
  return repositoryCommand<ImportValues>(repoLockOption(shape), examples, async (values, [name = ''], opened) => {
    const { ostree, repository, output, signal } = opened;
    ostree.readRemote(repository, name);
    const named = await readKeyFiles(values.keyring ?? []);
    const files = values.stdin === true ? [...named, ...(await readKeysFromInput())] : named;
    if (files.length === 0) throw new UsageError('name keys with --keyring FILE or --stdin');
    const dryRun = values.dryRun === true;
    const wait = { signal, dryRun, ...repoLockWait(values, opened, repository) };
    const { added, keys } = await ostree.importKeys(repository, { remote: name, files }, wait);
    output.result(`${dryRun ? 'Would import' : 'Imported'} ${plural(added.length, 'GPG key')} to remote "${name}"`);
    output.document('ostree-container.repo-remote-gpg-import/1', {
      remote: name,
      dryRun,
      imported: added.map(({ fingerprint }) => fingerprint),
      keys: keys.map(({ fingerprint }) => fingerprint),
    });
    return 0;
  });
}

export function remoteGpgListKeysCommand(): Command {
  const shape = new Command('gpg-list-keys')
    .description('Show the OpenPGP keys in the keyring of a remote.')
    .argument('<name>', 'name of the remote');
  const examples = ['ostree-container repo remote gpg-list-keys --repo /srv/repo origin'];
  return repositoryCommand<RepoValues>(shape, examples, async (_values, [name = ''], opened) => {
    const { ostree, repository, output } = opened;
    ostree.readRemote(repository, name);
    const keys = await ostree.listKeys(repository, name);
    for (const key of keys) for (const line of keyLines(key)) output.result(line);
    output.document('ostree-container.repo-remote-gpg-list-keys/1', {
      remote: name,
      keys: keys.map(({ fingerprint, userIds }) => ({ fingerprint, userIds: [...userIds] })),
    });
    return 0;
  });
}

function keyLines({ fingerprint, userIds }: KeyInfo): readonly string[] {
  return [`Key: ${fingerprint.toUpperCase()}`, ...userIds.map((userId) => `  UID: ${userId}`)];
}
