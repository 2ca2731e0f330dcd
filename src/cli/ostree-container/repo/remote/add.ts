import { Command } from 'commander';
import { plural } from '../../../../base/text.ts';
import { UsageError } from '../../../arguments.ts';
import { repeatable } from '../../../repeatable.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { type Opened, repositoryCommand } from '../with-repository.ts';
import { readKeyFiles } from './key-files.ts';

interface Values extends RepoValues, LockValues {
  readonly set?: readonly string[];
  readonly gpgVerify: boolean;
  readonly signVerify?: boolean | readonly string[];
  readonly ifNotExists?: true;
  readonly force?: true;
  readonly gpgImport?: readonly string[];
  readonly contenturl?: string;
  readonly collectionId?: string;
  readonly customBackend?: string;
  readonly dryRun?: true;
}

type Setting = readonly [key: string, value: string];

export function remoteAddCommand(): Command {
  const shape = new Command('add')
    .description(
      'Add a remote. Commits of it must then carry an OpenPGP signature by a key of its keyring, unless --no-gpg-verify ' +
        'is given.',
    )
    .argument('<name>', 'what the remote is called here')
    .argument('<url>', 'http, https or file address; or mirrorlist= and the address of a list')
    .argument('[branches...]', 'refs that are pulled when none is named')
    .addOption(repeatable('--set <key=value>', 'set any key of the remote'))
    .option('--no-gpg-verify', 'do not require OpenPGP signatures')
    .option('--no-sign-verify', 'do not require ed25519 or spki signatures')
    .addOption(
      repeatable(
        '--sign-verify <type=source>',
        'require signatures: TYPE=inline:KEY or TYPE=file:PATH, type ed25519 or spki',
      ),
    )
    .option('--if-not-exists', 'leave a remote of this name as it is')
    .option('--force', 'replace a remote of this name')
    .addOption(repeatable('--gpg-import <file>', 'put the OpenPGP keys of this file into its keyring'))
    .option('--contenturl <url>', 'fetch objects and deltas from here')
    .option('--collection-id <id>', 'commits must be bound to this collection')
    .option('--custom-backend <name>', 'its content is fetched by something else')
    .option('--dry-run', 'show what would be written, change nothing');
  const examples = [
    'ostree-container repo remote add --repo /srv/repo --gpg-import key.asc origin https://example.com/repo os/stable',
  ];
  return repositoryCommand<Values>(
    repoLockOption(shape),
    examples,
    async (values, [name = '', url = '', ...branches], opened) => {
      if (values.force === true && values.ifNotExists === true)
        throw new UsageError('--force and --if-not-exists exclude each other');
      const settings = settingsOf(values, url, branches);
      await add(name, settings, values, opened);
      return 0;
    },
  );
}

async function add(name: string, settings: readonly Setting[], values: Values, opened: Opened): Promise<void> {
  const { ostree, repository, output, signal } = opened;
  const dryRun = values.dryRun === true;
  const files = await readKeyFiles(values.gpgImport ?? []);
  const existing = values.force === true ? 'replace' : values.ifNotExists === true ? 'keep' : 'fail';
  const wait = { signal, dryRun, ...repoLockWait(values, opened, repository) };
  const importKeys = async (isTrial: boolean) =>
    files.length === 0
      ? []
      : (await ostree.importKeys(repository, { remote: name, files }, { ...wait, dryRun: isTrial })).added;
  await importKeys(true); // first: keys that cannot be read must not leave a remote without its keyring
  const isAdded = await ostree.addRemote(repository, { name, settings, existing }, wait);
  const keys = isAdded ? await importKeys(dryRun) : [];
  if (isAdded && dryRun) output.results([`[remote "${name}"]`, ...settings.map(([key, value]) => `${key}=${value}`)]);
  if (!isAdded) output.info(`remote ${name} exists already, and stays as it is`);
  else {
    const added = dryRun ? 'would be added' : 'added';
    output.info(`remote ${name} ${added}${keys.length === 0 ? '' : ` with ${plural(keys.length, 'key')}`}`);
  }
  output.document('ostree-container.repo-remote-add/1', {
    remote: name,
    added: isAdded && !dryRun,
    dryRun,
    keys: keys.map(({ fingerprint }) => fingerprint),
  });
}

/** In the order in which the program ostree writes them. */
function settingsOf(values: Values, address: string, branches: readonly string[]): readonly Setting[] {
  const metalink = /^metalink=(.*)$/s.exec(address)?.[1];
  const settings: Setting[] = [metalink === undefined ? ['url', address] : ['metalink', metalink]];
  if (branches.length > 0) settings.push(['branches', `${branches.join(';')};`]);
  if (values.contenturl !== undefined) settings.push(['contenturl', values.contenturl]);
  for (const text of values.set ?? []) {
    const equals = text.indexOf('=');
    if (equals <= 0) throw new UsageError(`--set: expected KEY=VALUE, found "${text}"`);
    settings.push([text.slice(0, equals), text.slice(equals + 1)]);
  }
  if (!values.gpgVerify) settings.push(['gpg-verify', 'false']);
  settings.push(...signSettings(values));
  if (values.collectionId !== undefined) settings.push(['collection-id', values.collectionId]);
  if (values.customBackend !== undefined) settings.push(['custom-backend', values.customBackend]);
  return settings;
}

function signSettings({ signVerify }: Values): readonly Setting[] {
  if (signVerify === false) return [['sign-verify', 'false']];
  if (signVerify === undefined || signVerify === true) return [];
  const keys = signVerify.map((text): readonly [type: string, setting: Setting] => {
    const [, type = '', source = '', value = ''] = /^([a-z0-9]+)=(inline|file):(.+)$/s.exec(text) ?? [];
    if (type === '') throw new UsageError(`--sign-verify: expected TYPE=inline:KEY or TYPE=file:PATH, found "${text}"`);
    return [type, [`verification-${type}-${source === 'inline' ? 'key' : 'file'}`, value]];
  });
  const types = [...new Set(keys.map(([type]) => type))];
  return [...keys.map(([, setting]) => setting), ['sign-verify', `${types.join(';')};`]];
}
