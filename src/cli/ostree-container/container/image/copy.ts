import { Command } from 'commander';
import { formatBytes, plural } from '../../../../base/text.ts';
import { UsageError } from '../../../arguments.ts';
import { command } from '../../../program.ts';
import { type LockValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { storedName } from './with-store.ts';

interface Values extends LockValues {
  readonly srcRepo?: string;
  readonly destRepo?: string;
}

export function copyCommand(): Command {
  const shape = new Command('copy')
    .description('Copy a stored image with its layers into another repository of this machine, without a network.')
    .argument('<image>', 'a name as "container image list" prints it')
    .option('--src-repo <directory>', 'the repository that has it')
    .option('--dest-repo <directory>', 'the repository that gets it');
  const examples = [
    'ostree-container container image copy --src-repo /ostree/repo --dest-repo /mnt/ostree/repo docker://quay.io/example/os:stable',
  ];
  return command<Values>(repoLockOption(shape), examples, async () => {
    const container = await import('../../../../ostree-container/index.ts');
    const { openRepository } = await import('../../../../ostree/index.ts');
    return async (values, [text = ''], context) => {
      const { output, progress, signal } = context;
      const { srcRepo, destRepo } = values;
      if (srcRepo === undefined || destRepo === undefined) {
        throw new UsageError('two repositories are needed', 'write --src-repo DIRECTORY --dest-repo DIRECTORY');
      }
      const name = storedName(container, text);
      const from = openRepository(srcRepo);
      try {
        const into = openRepository(destRepo);
        try {
          const options = { signal, onProgress: progress.emit, ...repoLockWait(values, context, into) };
          const { commit, layers, objects, bytes } = await container.copyStoredImage(from, into, name, options);
          output.info(`${plural(layers, 'layer')}: ${plural(objects, 'object')} copied, ${formatBytes(bytes)}`);
          output.result(commit);
          const counts = { layers, copiedObjects: objects, copiedBytes: bytes };
          output.document('ostree-container.container-image-copy/1', { commit, ...counts });
          return 0;
        } finally {
          into.close();
        }
      } finally {
        from.close();
      }
    };
  });
}
