import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { CopyOptions, ImageDestination, ImageName, ImageSource, Images } from '../../../images/index.ts';
import { naming } from '../../../linux/calls/system-error.ts';
import type { RawManifest } from '../../../oci/index.ts';
import type { SigstorePrivateKey } from '../../../trust/index.ts';
import { UsageError } from '../../arguments.ts';
import { openAdmission, type PolicyValues, policyOptions } from '../../images/policy.ts';
import {
  placeOptions,
  placeValues,
  type RegistriesValues,
  registriesOptions,
  type Side,
} from '../../images/registry-options.ts';
import { imagesSettings } from '../../images/settings.ts';
import { closing, type ImagesDoor, withDestination, withSource } from '../../images/with-images.ts';
import { type Context, command } from '../../program.ts';
import { type LockValues, lockOption } from '../../shared-options.ts';
import { type CopyValues, copyOptions, readCopyOptions } from './copy-options.ts';
import { tellCopied, tellPlan } from './copy-report.ts';
import { signWithSigstore, simpleSignature, toBeSigned } from './sign-images.ts';
import { readSigners, type Signers, type SigningValues, signedIdentity, signingOptions } from './signing-options.ts';

interface Values extends RegistriesValues, CopyValues, PolicyValues, SigningValues, LockValues {
  readonly digestfile?: string;
  readonly dryRun?: true;
}

export function copyCommand(): Command {
  const shape = new Command('copy')
    .description(
      'Copy an image from any place to any other, which is also how images are pulled and pushed. Blobs that are ' +
        'there already are not sent, everything is verified, and the image has its name when all of it is there. A ' +
        'copy that was ended goes on where it stopped when it is run again.',
    )
    .argument(
      '<source>',
      'docker://HOST/NAME:TAG, oci:DIRECTORY:TAG, oci-archive:FILE, docker-archive:FILE, dir:DIRECTORY or containers-storage:NAME',
    )
    .argument('<destination>', 'the same, except for containers-storage:');
  copyOptions(shape)
    .option('--digestfile <file>', 'write the digest of the manifest into this file')
    .option('--dry-run', 'say what would be sent, and how much; write nothing');
  placeOptions(placeOptions(signingOptions(policyOptions(shape)), 'src-'), 'dest-');
  const examples = [
    'ostree-container image copy docker://quay.io/fedora/fedora-coreos:stable oci:/srv/layout:stable',
    'ostree-container image copy --all oci:/srv/layout:stable docker://registry.example.com/os:stable',
  ];
  return command<Values>(lockOption(registriesOptions(shape)), examples, async () => {
    const module = await import('../../../images/index.ts');
    return async (values, [from = '', to = ''], context) => {
      const names = [module.parseImageName(from), module.parseImageName(to)] as const;
      const asked = readCopyOptions(values);
      const signers = await readSigners(values, context.signal);
      assertCanHold(names[1], signers, values);
      await withPlaces(module, names, values, context, (places) =>
        work(module, places, values, { asked, signers }, context),
      );
      return 0;
    };
  });
}

interface Places {
  readonly source: ImageSource;
  readonly destination: ImageDestination;
  /** Of the destination. */
  readonly images: Images;
}

async function work(
  module: ImagesDoor,
  places: Places,
  values: Values,
  { asked, signers }: { readonly asked: ReturnType<typeof readCopyOptions>; readonly signers: Signers },
  context: Context,
): Promise<void> {
  const { source, destination } = places;
  const { progress, signal } = context;
  const { admit, verdict } = openAdmission(module, values, context);
  const sign = simpleSigning(module, values, signers, destination);
  const options = { ...asked, admit, sign, onProgress: progress.emit, signal };
  if (values.dryRun === true) {
    tellPlan(await module.planCopy(source, destination, options), places, context);
    return;
  }
  const copied = await module.copyImage(source, destination, options);
  if (signers.sigstore !== undefined) await attach(module, places, values, signers.sigstore, copied.manifest, context);
  const signatures =
    values.sigstoreSignatures === true ? await takeAlong(module, places, copied.manifest, asked.all, signal) : 0;
  if (values.digestfile !== undefined) writeDigest(values.digestfile, copied.manifest.digest);
  tellCopied({ ...copied, signatures }, places, verdict(), context);
}

/** What signs manifests with OpenPGP as they are stored. */
function simpleSigning(
  module: ImagesDoor,
  values: Values,
  { gpg, sigstore }: Signers,
  destination: ImageDestination,
): CopyOptions['sign'] {
  if (gpg === undefined && sigstore === undefined) return undefined;
  const identity = signedIdentity(values, destination); // what is missing is said before anything moves
  return gpg === undefined ? undefined : async (raw) => [await simpleSignature(module, raw, identity, gpg)];
}

/** Signatures of cosign are images beside the image. */
async function attach(
  module: ImagesDoor,
  { destination, images }: Places,
  values: Values,
  key: SigstorePrivateKey,
  raw: RawManifest,
  { signal }: Context,
): Promise<void> {
  const origin = await images.origin(destination.name, signal);
  await closing(origin, async () => {
    const identity = signedIdentity(values, destination);
    const signing = { module, origin, destination, identity, scheme: 'tag', signal } as const;
    await signWithSigstore(signing, await toBeSigned(signing, raw), key);
  });
}

/** Signatures of cosign that the source has for what was copied. @returns how many manifests of signatures */
async function takeAlong(
  module: ImagesDoor,
  { source, destination }: Places,
  raw: RawManifest,
  all: boolean,
  signal: AbortSignal,
): Promise<number> {
  const images = all ? await toBeSigned({ module, origin: source, signal }, raw) : [raw];
  let count = 0;
  for (const { digest } of images) {
    count += await module.copySigstoreSignatures(source, destination, digest, signal);
  }
  return count;
}

/** @throws UsageError */
function assertCanHold({ transport }: ImageName, { gpg, sigstore }: Signers, { sigstoreSignatures }: Values): void {
  if (gpg !== undefined && transport !== 'docker' && transport !== 'dir') {
    throw new UsageError(`${transport}: keeps no OpenPGP signatures`, 'docker: and dir: do');
  }
  if ((sigstore !== undefined || sigstoreSignatures === true) && transport !== 'docker' && transport !== 'oci') {
    throw new UsageError(`${transport}: keeps no signatures of cosign`, 'docker: and oci: do');
  }
}

/** Both are closed after the work, which keeps what can be resumed. */
async function withPlaces(
  { openImages }: ImagesDoor,
  [from, to]: readonly [ImageName, ImageName],
  values: Values,
  context: Context,
  use: (places: Places) => Promise<void>,
): Promise<void> {
  const open = (side: Side) => openImages(imagesSettings(values, placeValues(values, side), context));
  const [there, here] = [open('src-'), open('dest-')];
  const { signal } = context;
  await closing(there, () =>
    closing(here, () =>
      withDestination({ images: here, signal }, to, (destination) =>
        withSource({ images: there, signal }, from, (source) => use({ source, destination, images: here })),
      ),
    ),
  );
}

/** As skopeo writes it: without a newline. */
function writeDigest(path: string, digest: string): void {
  naming(path, () => writeFileSync(path, digest));
}
