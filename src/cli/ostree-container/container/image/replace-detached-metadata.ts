import { Command } from 'commander';
import { readFileBounded } from '../../../../linux/files/read.ts';
import { UsageError } from '../../../arguments.ts';
import { closing } from '../../../images/with-images.ts';
import { command } from '../../../program.ts';
import { type LockValues, lockOption } from '../../../shared-options.ts';
import { type AccessValues, accessOptions, openAccess } from './image-access.ts';
import { storedName } from './with-store.ts';

interface Values extends AccessValues, LockValues {
  readonly src?: string;
  readonly dest?: string;
  readonly platform?: string;
}

/** As large as any object of metadata in the stream. */
const LIMIT = 10 * 2 ** 20;

export function replaceDetachedMetadataCommand(): Command {
  const shape = new Command('replace-detached-metadata')
    .description(
      'Make an image whose commit has other detached metadata, which is where its signatures are. Only the first layer ' +
        'changes. Without a file the commit has none.',
    )
    .argument('[file]', 'the metadata, as the .commitmeta file of a repository of mode archive holds them')
    .option('--src <image>', 'docker://HOST/NAME:TAG, oci:DIRECTORY:TAG, ...')
    .option('--dest <image>', 'where the new image goes')
    .option('--platform <os/arch[/variant]>', 'the image of an index that is for this platform');
  const examples = [
    'ostree-container container image replace-detached-metadata --src oci:/srv/a --dest oci:/srv/b signed.commitmeta',
  ];
  return command<Values>(lockOption(accessOptions(shape)), examples, async () => {
    const [module, oci, container] = await Promise.all([
      import('../../../../images/index.ts'),
      import('../../../../oci/index.ts'),
      import('../../../../ostree-container/index.ts'),
    ]);
    return async (values, [file], context) => {
      const { src, dest, platform } = values;
      if (src === undefined || dest === undefined)
        throw new UsageError('two images are needed', 'write --src and --dest');
      const images = openAccess(module, values, context);
      return closing(images, async () => {
        const { digest } = await container.replaceDetachedMetadata(storedName(container, src), {
          images,
          destination: storedName(container, dest),
          platform: platform === undefined ? oci.hostPlatform() : oci.parsePlatform(platform),
          detached: file === undefined ? undefined : readFileBounded(file, LIMIT).bytes,
          onProgress: context.progress.emit,
          signal: context.signal,
        });
        context.output.result(digest);
        const document = { source: src, destination: dest, digest };
        context.output.document('ostree-container.container-image-replace-detached-metadata/1', document);
        return 0;
      });
    };
  });
}
