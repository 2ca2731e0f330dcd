import { Command } from 'commander';
import { plural } from '../../../base/text.ts';
import type { ImageName } from '../../../images/index.ts';
import { formatNamed, type RawManifest } from '../../../oci/index.ts';
import { UsageError } from '../../arguments.ts';
import type { RegistriesValues } from '../../images/registry-options.ts';
import { closing, type WithImages, withDestination, writingImageCommand } from '../../images/with-images.ts';
import { type Signing, signWithSigstore, simpleSignature, toBeSigned } from './sign-images.ts';
import { readSigners, type Signers, type SigningValues, signedIdentity } from './signing-options.ts';

const SCHEMA = 'ostree-container.image-sign/1';

interface Values extends RegistriesValues {
  readonly key?: string;
  readonly signBy?: string;
  readonly gpgHomedir?: string;
  readonly gpgKeyFile?: string;
  readonly passphraseFile?: string;
  readonly signIdentity?: string;
  readonly referrers?: true;
  readonly dryRun?: true;
}

export function signCommand(): Command {
  const shape = new Command('sign')
    .description(
      'Sign an image that is in a registry or in a layout, and with an index all of its images. Signatures of cosign ' +
        'lie beside the image, those of simple signing where registries.d says. No other service is contacted.',
    )
    .argument('<name>', 'docker://HOST/NAME:TAG or oci:DIRECTORY:TAG')
    .option('--key <file>', 'sign with this private key of cosign')
    .option('--sign-by <key-id>', 'sign with this OpenPGP key (simple signing)')
    .option('--gpg-homedir <directory>', 'home of GnuPG with the secret key (default: that of the user)')
    .option('--gpg-key-file <file>', 'secret OpenPGP key, binary or armored; then no gpg is needed')
    .option('--passphrase-file <file>', 'the first line opens the key file (default: $COSIGN_PASSWORD)')
    .option('--sign-identity <reference>', 'sign as this name (default: the name in the registry)')
    .option('--referrers', "attach signatures of cosign as referrers instead of under the image's tag")
    .option('--dry-run', 'say what would be signed; open the keys, store nothing');
  const examples = [
    'ostree-container image sign --key cosign.key docker://registry.example.com/os:stable',
    'ostree-container image sign --sign-by releases@example.com docker://registry.example.com/os:stable',
  ];
  return writingImageCommand<Values>(shape, examples, async (values, name, context) => {
    const signers = await readSigners(signingValues(values), context.signal);
    if (signers.gpg === undefined && signers.sigstore === undefined) {
      throw new UsageError('name a key: --key, --sign-by or --gpg-key-file');
    }
    assertCanHold(name, signers);
    await withDestination(context, name, async (destination) => {
      const origin = await context.images.origin(name, context.signal);
      await closing(origin, async () => {
        const { module, signal } = context;
        const identity = signedIdentity(signingValues(values), origin);
        const scheme = values.referrers === true ? 'referrers' : 'tag';
        await signAll({ module, origin, destination, identity, scheme, signal }, signers, values, context);
      });
    });
    return 0;
  });
}

async function signAll(signing: Signing, signers: Signers, values: Values, { output }: WithImages) {
  const { module, origin, destination, identity, signal } = signing;
  const images = await toBeSigned(signing, await origin.readManifest(undefined, signal));
  const dryRun = values.dryRun === true;
  let added = 0;
  if (!dryRun) {
    if (signers.sigstore !== undefined) added += await signWithSigstore(signing, images, signers.sigstore);
    if (signers.gpg !== undefined) {
      for (const raw of images) {
        const signature = await simpleSignature(module, raw, identity, signers.gpg);
        await destination.putSimpleSignatures(raw.digest, [signature], signal);
        added++;
      }
    }
  }
  const what = dryRun ? `would sign ${plural(images.length, 'manifest')}` : `${plural(added, 'signature')} added`;
  output.info(`${formatNamed(identity)}: ${what}`);
  for (const { digest } of images) output.result(digest);
  output.document(SCHEMA, {
    identity: formatNamed(identity),
    dryRun,
    digests: images.map(({ digest }: RawManifest) => digest),
    added,
  });
}

/** Which kind can lie where. @throws UsageError */
function assertCanHold({ transport }: ImageName, { gpg }: Signers): void {
  if (transport !== 'docker' && transport !== 'oci') {
    throw new UsageError(`images in ${transport}: are signed when they are copied there`, 'see "image copy --sign-by"');
  }
  if (transport === 'oci' && gpg !== undefined) throw new UsageError('a layout keeps no OpenPGP signatures');
}

function signingValues({ key, passphraseFile, ...rest }: Values): SigningValues {
  return {
    ...rest,
    ...(key !== undefined && { signBySigstorePrivateKey: key }),
    ...(passphraseFile !== undefined && { signPassphraseFile: passphraseFile }),
  };
}
