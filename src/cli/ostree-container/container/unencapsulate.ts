import { Command } from 'commander';
import { formatBytes, plural } from '../../../base/text.ts';
import type { LayerState } from '../../../ostree-container/index.ts';
import { closing } from '../../images/with-images.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { tellSignatures } from '../commit-verification.ts';
import { signatureDocument } from '../repo/signature-document.ts';
import { type Opened, repositoryCommand } from '../repo/with-repository.ts';
import { type AccessValues, accessOptions, openTransfer } from './image/image-access.ts';

interface Values extends RepoValues, LockValues, AccessValues {
  readonly writeRef?: string;
  readonly dryRun?: true;
}

const SCHEMA = 'ostree-container.container-unencapsulate/1';

export function unencapsulateCommand(): Command {
  const shape = new Command('unencapsulate')
    .description(
      'Take the commit out of an image that was made by "container encapsulate", bit for bit. Its signature is ' +
        'checked before anything is written, and the commit appears when all that it reaches is there. Layers whose ' +
        'contents are there are not fetched.',
    )
    .argument('<image>', 'ostree-unverified-registry:HOST/NAME:TAG, ostree-remote-image:REMOTE:oci:DIRECTORY, ...')
    .option('--write-ref <ref>', 'point this ref, REF or REMOTE:REF, to the commit')
    .option('--platform <os/arch[/variant]>', 'the image of an index that is for this platform')
    .option('--dry-run', 'say which layers would be fetched, and how many bytes');
  const examples = [
    'ostree-container container unencapsulate --repo /srv/repo --write-ref os ostree-unverified-registry:quay.io/example/os:stable',
    'ostree-container container unencapsulate --repo /srv/repo ostree-remote-image:fedora:oci:/media/usb/os:stable',
  ];
  return repositoryCommand<Values>(
    repoLockOption(accessOptions(shape)),
    examples,
    async (values, [text = ''], opened) => {
      const { output, repository } = opened;
      const container = await import('../../../ostree-container/index.ts');
      const transfer = await openTransfer(text, values, opened);
      const { reference, images } = transfer;
      const options = { ...transfer, ref: values.writeRef, ...repoLockWait(values, opened, repository) };
      const image = container.formatOstreeReference(reference);
      const common = { repository: repository.path, image, ref: values.writeRef ?? null };
      return closing(images, async () => {
        if (values.dryRun === true) {
          const plan = await container.planUnencapsulate(repository, options);
          tellLayers('would fetch', plan.layers, opened);
          output.document(SCHEMA, {
            ...common,
            dryRun: true,
            ...plan,
            commit: plan.commit ?? null,
            layers: plan.layers.map(layerDocument),
          });
          return 0;
        }
        const wasVerified = reference.trust.kind === 'remote';
        const { signatures, ...imported } = await container.unencapsulate(repository, options);
        const { commit, layers, newContents, newBytes } = imported;
        tellSignatures(commit, wasVerified ? signatures : undefined, opened);
        tellLayers('fetched', layers, opened);
        output.info(`${plural(newContents, 'file')} new: ${formatBytes(newBytes)}`);
        output.result(`Imported: ${values.writeRef === undefined ? '' : `${values.writeRef} => `}${commit}`);
        output.document(SCHEMA, {
          ...common,
          dryRun: false,
          commit,
          manifestDigest: imported.manifestDigest,
          verified: wasVerified,
          signatures: signatures.map(signatureDocument),
          layers: layers.map(layerDocument),
          bytes: imported.fetchedBytes,
          newContentObjects: newContents,
          newBytes,
        });
        return 0;
      });
    },
  );
}

function tellLayers(what: string, layers: readonly LayerState[], { output }: Opened): void {
  const fetched = layers.filter(({ isThere }) => !isThere);
  const bytes = fetched.reduce((sum, { size }) => sum + size, 0);
  output.info(`${what} ${fetched.length} of ${plural(layers.length, 'layer')}: ${formatBytes(bytes)}`);
}

function layerDocument({ digest, size, isThere }: LayerState) {
  return { digest, size, isThere };
}
