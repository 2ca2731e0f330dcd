import { Command } from 'commander';
import type { RepoValues } from '../../../shared-options.ts';
import { storeCommand, storedName } from './with-store.ts';

interface Values extends RepoValues {
  readonly config?: true;
  readonly cachedUpdate?: true;
}

export function metadataCommand(): Command {
  const shape = new Command('metadata')
    .description('Print the manifest of a stored image as it was received, or its configuration.')
    .argument('<image>', 'a name as "container image list" prints it')
    .option('--config', 'the configuration')
    .option(
      '--cached-update',
      'the manifest of the newer image that an earlier pull has seen; nothing if there is none',
    );
  const examples = [
    'ostree-container container image metadata --repo /ostree/repo docker://quay.io/example/os:stable',
    'ostree-container container image metadata --repo /ostree/repo --config docker://quay.io/example/os:stable',
  ];
  return storeCommand<Values>(
    shape,
    examples,
    async (values, [text = ''], { container, ostree, output, repository }) => {
      const image = container.findImage(repository, storedName(container, text));
      const update = container.cachedUpdate(ostree.objectsOf(repository), image.commit);
      const manifest = values.cachedUpdate === true ? update?.bytes : image.manifest.bytes;
      const shown = values.config === true ? image.config : manifest;
      if (shown !== undefined) output.results([Buffer.from(shown).toString('utf8')]);
      output.document('ostree-container.container-image-metadata/1', {
        commit: image.commit,
        manifestDigest: image.manifest.digest,
        configDigest: image.image.config.digest,
        cachedUpdate: update?.digest ?? null,
      });
      return 0;
    },
  );
}
