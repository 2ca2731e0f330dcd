import { Command } from 'commander';
import { CodedError } from '../../../base/error.ts';
import { formatNamed, referenceOf, withDefaultTag } from '../../../oci/index.ts';
import type { RegistriesValues } from '../../images/registry-options.ts';
import { imageCommand } from '../../images/with-images.ts';

const SCHEMA = 'ostree-container.image-delete/1';

interface Values extends RegistriesValues {
  readonly dryRun?: true;
}

export function deleteCommand(): Command {
  const shape = new Command('delete')
    .description(
      'Delete a manifest from a registry. A tag stands for the manifest that it points to: other tags of the same ' +
        'manifest go with it. The registry frees the room of blobs when it collects garbage.',
    )
    .argument('<name>', 'docker://HOST/NAME:TAG or docker://HOST/NAME@DIGEST')
    .option('--dry-run', 'say what would be deleted, delete nothing');
  const examples = ['ostree-container image delete docker://registry.example.com/os:old'];
  return imageCommand<Values>(shape, examples, async ({ dryRun = false }, name, { images, output, signal }) => {
    const { reference, repository } = await images.repository(name, signal);
    const full = withDefaultTag(reference);
    const head = await repository.headManifest(referenceOf(full) ?? 'latest', signal);
    if (head === undefined) throw new CodedError('IMAGE_MISSING', `${formatNamed(full)}: there is no such image`);
    if (!dryRun) await repository.deleteManifest(head.digest, signal);
    output.info(`${formatNamed(full)}: ${dryRun ? 'would be deleted' : 'deleted'}`);
    output.result(head.digest);
    output.document(SCHEMA, { image: formatNamed(full), digest: head.digest, mediaType: head.mediaType, dryRun });
    return 0;
  });
}
