import { Command } from 'commander';
import { UsageError } from '../../arguments.ts';
import { type LockValues, type RepoValues, repoLockOption } from '../../shared-options.ts';
import { type Opened, repositoryCommand, underLock } from './with-repository.ts';

interface Values extends RepoValues, LockValues {
  readonly group?: string;
  readonly dryRun?: true;
}

export function configCommand(): Command {
  const shape = new Command('config')
    .description('Show a setting of a repository (get), change it (set), or take it away (unset).')
    .argument('<action>', 'get, set or unset')
    .argument('<key>', 'GROUP.KEY such as core.fsync; or with --group the key alone')
    .argument('[value]', 'for set')
    .option('--group <group>', 'the group of the key')
    .option('--dry-run', 'say what would be changed, change nothing');
  const examples = [
    'ostree-container repo config --repo /srv/repo get core.mode',
    'ostree-container repo config --repo /srv/repo set --group \'remote "origin"\' url https://example.com/repo',
  ];
  return repositoryCommand<Values>(
    repoLockOption(shape),
    examples,
    async (values, [action = '', name = '', value], opened) => {
      const { group, key } = splitName(name, values.group);
      if (action === 'set' ? value === undefined : value !== undefined)
        throw new UsageError(action === 'set' ? 'set needs a value' : `${action} goes without a value`);
      if (action === 'get' && values.lockTimeout !== undefined)
        throw new UsageError('--lock-timeout is for set and unset');
      if (action === 'get') get(opened, group, key);
      else if (action === 'set' || action === 'unset') await change(opened, values, { group, key, value });
      else throw new UsageError(`expected get, set or unset, found "${action}"`);
      return 0;
    },
  );
}

/** The group ends at the last dot. */
function splitName(name: string, group: string | undefined): { group: string; key: string } {
  const dot = name.lastIndexOf('.');
  if (group === undefined && dot === -1) throw new UsageError(`expected GROUP.KEY, found "${name}"`);
  const found = group === undefined ? { group: name.slice(0, dot), key: name.slice(dot + 1) } : { group, key: name };
  if (!/^[^[\]\p{Cc}]+$/u.test(found.group)) throw new UsageError(`"${found.group}" cannot be a group`);
  if (!/^[^=\s[\]#][^=[\]\p{Cc}]*$/u.test(found.key)) throw new UsageError(`"${found.key}" cannot be a key`);
  return found;
}

function get({ repository, output, ostree }: Opened, group: string, key: string): void {
  const value = repository.keyFile.string(group, key);
  if (value === undefined) {
    throw new ostree.OstreeError('PATH_MISSING', `${repository.path}: no key "${key}" in group "${group}"`, {
      subject: `${group}.${key}`,
    });
  }
  output.result(value);
  output.document('ostree-container.repo-config/1', { action: 'get', group, key, value });
}

interface Change {
  readonly group: string;
  readonly key: string;
  /** Undefined: take it away. */
  readonly value: string | undefined;
}

/** What the repository could not be opened with is refused. */
async function change(opened: Opened, values: Values, { group, key, value }: Change): Promise<void> {
  const dryRun = values.dryRun === true;
  const { repository, output } = opened;
  const before = repository.keyFile.string(group, key) ?? null;
  if (!dryRun) {
    await underLock(opened, 'exclusive', values, () =>
      repository.updateConfig((file) => {
        if (value === undefined) file.remove(group, key);
        else file.set(group, key, value);
      }),
    );
  }
  const action = value === undefined ? 'unset' : 'set';
  output.info(`${group}.${key}: ${dryRun ? 'would be ' : ''}${action}`);
  output.document('ostree-container.repo-config/1', { action, dryRun, group, key, before, value: value ?? null });
}
