import { Command } from 'commander';
import { UsageError } from '../../../arguments.ts';
import { refuseOptions } from '../../../images/refused-options.ts';
import { closing } from '../../../images/with-images.ts';
import { command } from '../../../program.ts';
import { repoLockWait } from '../../../shared-options.ts';
import { openTransfer } from './image-access.ts';
import { pullFlags, type StorePullValues, storePullOptions } from './pull-options.ts';
import { planDocument, pulledDocument, tellPlan, tellPulled } from './pull-report.ts';
import { writeWholeFile } from './whole-file.ts';

interface Values extends StorePullValues {
  readonly sysroot: string;
  readonly imgref?: string;
  readonly stateroot: string;
  readonly targetImgref?: string;
  readonly writeCommitidTo?: string;
}

const SCHEMA = 'ostree-container.container-image-deploy/1';

export function deployCommand(): Command {
  const shape = new Command('deploy')
    .description(
      'Pull an image into the repository of a sysroot and check it out as a deployment, with its origin file. No boot ' +
        'loader entry is written: a machine does not boot it by this alone.',
    )
    .option('--imgref <image>', 'ostree-unverified-registry:HOST/NAME:TAG, ostree-image-signed:docker://..., ...')
    .option('--sysroot <directory>', 'where ostree/repo and ostree/deploy are', '/')
    .option('--stateroot <name>', 'of the deployment', 'default')
    .option('--target-imgref <image>', 'what the origin file names, for later updates (default: the image)')
    .option('--write-commitid-to <file>', 'write the checksum of the commit into this file');
  refuseOptions(shape, {
    '--karg <argument>': 'kernel arguments are in entries of boot loaders, which are not written here',
  });
  const examples = [
    'ostree-container container image deploy --sysroot /mnt --imgref ostree-unverified-registry:quay.io/example/os:stable',
  ];
  return command<Values>(storePullOptions(shape), examples, async () => {
    const [container, ostree] = await Promise.all([
      import('../../../../ostree-container/index.ts'),
      import('../../../../ostree/index.ts'),
    ]);
    return async (values, _args, context) => {
      const { output } = context;
      const { imgref, sysroot, stateroot, targetImgref } = values;
      if (imgref === undefined) throw new UsageError('no image is named', 'write --imgref IMAGE');
      const transfer = await openTransfer(imgref, values, context);
      const { reference, images } = transfer;
      const target = targetImgref === undefined ? undefined : container.parseOstreeReference(targetImgref);
      const repository = container.openSysrootRepository(sysroot);
      const options = {
        ...transfer,
        ...{ target, sysroot, stateroot },
        ...pullFlags(values),
        ...repoLockWait(values, context, repository),
      };
      return closing(repository, () =>
        closing(images, async () => {
          if (values.dryRun === true) {
            const plan = await container.checkStore(repository, options);
            tellPlan(plan, context);
            output.document(SCHEMA, { image: imgref, dryRun: true, ...planDocument(plan) });
            return 0;
          }
          const { pulled, deployment, isNew } = await container.deployImage(repository, options);
          const wasVerified = reference.trust.kind === 'remote';
          tellPulled(pulled, wasVerified, { ...context, ostree, repository });
          if (values.writeCommitidTo !== undefined) {
            writeWholeFile(values.writeCommitidTo, Buffer.from(deployment.commit));
          }
          if (!isNew) output.info('the newest deployment is this image already');
          else output.info('no boot loader entry was written: a machine does not boot this by itself');
          output.result(deployment.path);
          const { path, serial } = deployment;
          const facts = { image: imgref, dryRun: false, deployment: path, serial, isNewDeployment: isNew };
          output.document(SCHEMA, { ...facts, ...pulledDocument(pulled, wasVerified) });
          return 0;
        }),
      );
    };
  });
}
