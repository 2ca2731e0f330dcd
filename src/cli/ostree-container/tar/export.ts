import { Command } from 'commander';
import { formatBytes, plural } from '../../../base/text.ts';
import { UsageError } from '../../arguments.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { repositoryCommand } from '../repo/with-repository.ts';
import { type Output, openFile, openStandardOutput } from './stream-output.ts';

interface Values extends RepoValues, LockValues {
  readonly output?: string;
}

export function exportCommand(): Command {
  const shape = new Command('export')
    .description(
      'Write a commit as one uncompressed tar stream that is a root file system and an OSTree repository at once. ' +
        'Equal commits give equal bytes.',
    )
    .argument('<commit>', 'a ref or a checksum')
    .option('-o, --output <file>', 'write to this file, which appears when it is whole (default: standard output)');
  const examples = [
    'ostree-container tar export --repo /srv/repo os/main | tar -C /srv/root --numeric-owner -xpf -',
    'ostree-container tar export --repo /srv/repo -o os.tar os/main',
  ];
  return repositoryCommand<Values>(repoLockOption(shape), examples, async (values, [rev = ''], opened) => {
    const { output, ostree, repository, signal } = opened;
    if (values.output === undefined && output.options.json) {
      throw new UsageError('a stream is no JSON document', 'write --output FILE, or leave --json off');
    }
    const commit = ostree.resolveRevision(repository, rev);
    const { exportTar } = await import('../../../ostree-container/index.ts');
    const target: Output = values.output === undefined ? openStandardOutput() : openFile(values.output);
    try {
      const wait = repoLockWait(values, opened, repository);
      const counts = await exportTar(repository, commit, target.write, { signal, ...wait });
      target.finish();
      const { metadata, contents, contentBytes } = counts;
      const objects = `${plural(metadata, 'metadata object')}, ${plural(contents, 'file')}`;
      output.info(`commit ${commit}: ${objects}: ${formatBytes(contentBytes)}`);
      const file = values.output ?? null;
      const document = { commit, file, size: target.size, metadataObjects: metadata, contentObjects: contents };
      if (file !== null) output.document('ostree-container.tar-export/1', document);
    } catch (error) {
      target.discard();
      if (!target.isAbandoned) throw error;
    }
    return 0;
  });
}
