import { Command } from 'commander';
import { UsageError } from '../../arguments.ts';
import type { RepoValues } from '../../shared-options.ts';
import { repositoryCommand } from './with-repository.ts';

export function catCommand(): Command {
  const shape = new Command('cat')
    .description('Write the contents of files of a commit to standard output, one after the other, as they are.')
    .argument('<commit>', 'a ref or a checksum')
    .argument('<path...>', 'files; a link stands for the file that it leads to inside of the commit');
  const examples = ['ostree-container repo cat --repo /srv/repo os/main /usr/lib/os-release'];
  return repositoryCommand<RepoValues>(shape, examples, async (_values, [rev = '', ...paths], opened) => {
    const { output, ostree, repository, signal } = opened;
    if (output.options.json) throw new UsageError('contents are no JSON document', 'leave --json off');
    const reader = ostree.objectsOf(repository);
    const commit = reader.commit(ostree.resolveRevision(repository, rev));
    for (const path of paths) {
      const stored = ostree.openContent(reader, commit, path);
      try {
        for await (const chunk of stored.chunks()) {
          signal.throwIfAborted();
          if (!(await written(chunk))) return 0;
        }
      } finally {
        stored.close();
      }
    }
    return 0;
  });
}

/** Resolves when the piece may be used again; false when nobody reads any more, as `head` does. */
function written(chunk: Uint8Array): Promise<boolean> {
  return new Promise((resolve) =>
    process.stdout.write(chunk, (error) => resolve(error === null || error === undefined)),
  );
}
