import { Command } from 'commander';
import { closing } from '../../../images/with-images.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../../shared-options.ts';
import { type AccessValues, accessOptions, openAccess } from './image-access.ts';
import { storeCommand, storedName } from './with-store.ts';

interface Values extends RepoValues, LockValues, AccessValues {
  readonly compressionFast?: true;
}

export function reexportCommand(): Command {
  const shape = new Command('reexport')
    .description(
      'Write a stored image back into a registry, a layout or an archive, in the layers that it came in. Contents are ' +
        'the same; digests may be others, and what was left out when it was stored stays away.',
    )
    .argument('<image>', 'a name as "container image list" prints it')
    .argument('<destination>', 'docker://HOST/NAME:TAG, oci:DIRECTORY:TAG, oci-archive:FILE, ...')
    .option('--compression-fast', 'larger layers, sooner');
  const examples = [
    'ostree-container container image reexport --repo /ostree/repo docker://quay.io/example/os:stable oci:/srv/layout:os',
  ];
  return storeCommand<Values>(repoLockOption(accessOptions(shape)), examples, async (values, texts, opened) => {
    const { container, output, progress, repository, signal } = opened;
    const [from = '', to = ''] = texts;
    const name = storedName(container, from);
    const destination = container.parseContainerReference(to);
    const images = openAccess(await import('../../../../images/index.ts'), values, opened);
    return closing(images, async () => {
      const { digest } = await container.reexportImage(repository, name, {
        ...{ images, destination, signal },
        fast: values.compressionFast === true,
        onProgress: progress.emit,
        ...repoLockWait(values, opened, repository),
      });
      output.result(digest);
      output.document('ostree-container.container-image-reexport/1', { image: from, destination: to, digest });
      return 0;
    });
  });
}
