import { Command } from 'commander';
import { closing } from '../../../images/with-images.ts';
import { command } from '../../../program.ts';
import { repoLockWait } from '../../../shared-options.ts';
import { openTransfer } from './image-access.ts';
import { pullFlags, type StorePullValues, storePullOptions } from './pull-options.ts';
import { planDocument, pulledDocument, tellPlan, tellPulled } from './pull-report.ts';
import { writeWholeFile } from './whole-file.ts';

interface Values extends StorePullValues {
  readonly check?: string;
}

const SCHEMA = 'ostree-container.container-image-pull/1';

export function pullCommand(): Command {
  const shape = new Command('pull')
    .description(
      'Store an image in a repository, with all of its layers: the OSTree commit that is in it, and what was built on ' +
        'top of that, merged to one tree. Layers that are there are not fetched.',
    )
    .argument('<repository>', 'directory of the repository')
    .argument('<image>', 'ostree-unverified-registry:HOST/NAME:TAG, ostree-image-signed:docker://..., ...')
    .option('--check <file>', 'fetch no layers; write the manifest into this file if the image is a new one');
  const examples = [
    'ostree-container container image pull /ostree/repo ostree-remote-registry:fedora:quay.io/example/os:stable',
    'ostree-container container image pull /ostree/repo ostree-unverified-image:oci:/media/usb/os',
  ];
  return command<Values>(storePullOptions(shape), examples, async () => {
    const [ostree, container] = await Promise.all([
      import('../../../../ostree/index.ts'),
      import('../../../../ostree-container/index.ts'),
    ]);
    return async (values, [path = '', text = ''], context) => {
      const { output } = context;
      const transfer = await openTransfer(text, values, context);
      const { reference, images } = transfer;
      const repository = ostree.openRepository(path);
      const options = { ...transfer, ...pullFlags(values), ...repoLockWait(values, context, repository) };
      return closing(repository, () =>
        closing(images, async () => {
          if (values.check !== undefined || values.dryRun === true) {
            const plan = await container.checkStore(repository, options);
            if (values.check !== undefined && !plan.isStored) writeWholeFile(values.check, plan.manifest.bytes);
            tellPlan(plan, context);
            output.document(SCHEMA, { image: text, dryRun: true, ...planDocument(plan) });
            return 0;
          }
          const pulled = await container.pullIntoStore(repository, options);
          const wasVerified = reference.trust.kind === 'remote';
          tellPulled(pulled, wasVerified, { ...context, ostree, repository });
          output.result(`Imported: ${container.formatOstreeReference(reference)} => ${pulled.commit}`);
          output.document(SCHEMA, { image: text, dryRun: false, ...pulledDocument(pulled, wasVerified) });
          return 0;
        }),
      );
    };
  });
}
