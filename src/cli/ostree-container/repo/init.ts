import { Command, Option } from 'commander';
import type { RepositoryMode } from '../../../ostree/index.ts';
import { command } from '../../program.ts';
import { type RepoValues, repoOption, repoPath } from '../../shared-options.ts';

interface Values extends RepoValues {
  readonly mode: RepositoryMode;
  readonly collectionId?: string;
  readonly dryRun?: true;
}

const MODES = ['bare', 'bare-user', 'bare-user-only', 'archive'] satisfies readonly RepositoryMode[];

export function initCommand(): Command {
  const shape = new Command('init')
    .description('Make an empty repository, also in an existing directory. One that is there already stays as it is.')
    .addOption(new Option('--mode <mode>', 'how objects are stored').choices(MODES).default('bare'))
    .option('--collection-id <id>', 'a name for its refs that is unique in the world, such as org.example.Os')
    .option('--dry-run', 'say what would be done, change nothing');
  return command<Values>(
    repoOption(shape),
    ['ostree-container repo init --repo /srv/repo --mode archive'],
    async () => {
      const { createRepository } = await import('../../../ostree/index.ts');
      return async (values, _args, { output }) => {
        const { mode, collectionId, dryRun = false } = values;
        const repository = repoPath(values);
        const created = createRepository(repository, { mode, collectionId, dryRun });
        const made = dryRun ? 'would be made' : 'made';
        output.info(`${repository}: ${created ? `${made}, of mode ${mode}` : 'is there already'}`);
        output.document('ostree-container.repo-init/1', { repository, mode, created, dryRun });
        return 0;
      };
    },
  );
}
