import { Command } from 'commander';
import { command } from '../../program.ts';
import { repoLockOption, repoLockWait, repoOption, repoPath } from '../../shared-options.ts';
import { type CommitValues, commitOptions } from './commit-options.ts';
import { readSigners, signingOptions } from './signing-options.ts';

export function commitCommand(): Command {
  const shape = new Command('commit')
    .description(
      'Commit a directory, or several trees laid over each other in the order of --tree. Without any, the directory ' +
        'that is named, or the working directory. Prints the checksum of the commit.',
    )
    .argument('[directory]', 'what to commit (or --tree)');
  return command<CommitValues>(
    signingOptions(commitOptions(repoLockOption(repoOption(shape)))),
    [
      'ostree-container repo commit --repo /srv/repo --branch os/main --subject "Update" /srv/tree',
      'ostree-container repo commit --repo /srv/repo -b os/main --tree=tar=base.tar.zst --tree=dir=extra',
    ],
    async () => {
      const ostree = await import('../../../ostree/index.ts');
      const { readRequest } = await import('./commit-request.ts');
      return async (values, [directory], context) => {
        const { output, progress, signal } = context;
        const { request, trees } = await readRequest(values, directory);
        const signers = await readSigners(values, context);
        const repository = ostree.openRepository(repoPath(values));
        try {
          if (values.generateSizes === true && repository.mode !== 'archive') {
            output.warning('--generate-sizes is for archive repositories: no sizes are recorded');
          }
          const wait = repoLockWait(values, context, repository);
          const sizes = values.generateSizes === true && repository.mode === 'archive';
          const done = await ostree.commitTrees(
            repository,
            { ...request, sizes, signers },
            { ...trees, signal, ...wait, onProgress: progress.emit, dryRun: values.dryRun === true },
          );
          const { commit, isUnchanged, parent, statistics } = done;
          if (values.tableOutput === true) for (const line of table(commit, statistics)) output.result(line);
          else output.result(commit);
          if (values.dryRun === true) output.info('dry run: nothing was written');
          if (isUnchanged) output.info('nothing has changed since the parent, no commit was made');
          output.document('ostree-container.repo-commit/1', {
            commit,
            parent: parent ?? null,
            branch: request.branch ?? null,
            contentChecksum: ostree.contentChecksum(done.root),
            unchanged: isUnchanged,
            dryRun: values.dryRun === true,
            ...statistics,
          });
          return 0;
        } finally {
          repository.close();
        }
      };
    },
  );
}

/** As the reference prints it. */
function table(commit: string, statistics: import('../../../ostree/index.ts').Statistics): readonly string[] {
  return [
    `Commit: ${commit}`,
    `Metadata Total: ${statistics.metadataTotal}`,
    `Metadata Written: ${statistics.metadataWritten}`,
    `Content Total: ${statistics.contentTotal}`,
    `Content Written: ${statistics.contentWritten}`,
    `Content Cache Hits: ${statistics.contentCacheHits}`,
    `Content Bytes Written: ${statistics.contentBytesWritten}`,
  ];
}
