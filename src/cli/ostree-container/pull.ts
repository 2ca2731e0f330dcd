import { Command } from 'commander';
import { formatBytes, plural } from '../../base/text.ts';
import type { ImageName, Images } from '../../images/index.ts';
import type { Refspec } from '../../ostree/index.ts';
import type { OpenedSeed, PullCheck, PulledSeed, PullSeedOptions } from '../../ostree-container/index.ts';
import { UsageError } from '../arguments.ts';
import { EXIT } from '../exit-status.ts';
import { placeOptions, placeValues, type RegistriesValues, registriesOptions } from '../images/registry-options.ts';
import { imagesSettings } from '../images/settings.ts';
import { closing, type ImagesDoor } from '../images/with-images.ts';
import { repeatable } from '../repeatable.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../shared-options.ts';
import { tellSignatures, type VerificationValues, verificationOptions, verifierFor } from './commit-verification.ts';
import { noVerification, type TagValues, versionOf } from './pull-version.ts';
import { signatureDocument } from './repo/signature-document.ts';
import { type Opened, repositoryCommand } from './repo/with-repository.ts';

interface Values extends RepoValues, RegistriesValues, LockValues, VerificationValues, TagValues {
  readonly ref?: string;
  readonly verify: boolean;
  readonly check?: true;
}

const SCHEMA = 'ostree-container.pull/1';

export function pullCommand(): Command {
  const shape = new Command('pull')
    .description(
      'Pull the commit of a container image into a repository: verified in every part, and there when all of it is ' +
        'there. Of the image only what is missing is fetched.',
    )
    .argument('<image>', 'HOST/NAME:TAG, or oci:DIRECTORY[:TAG]')
    .option('--ref <ref>', 'point this ref, REF or REMOTE:REF, to the commit')
    .option('--no-verify', 'take a commit without looking at signatures')
    .option('--check', 'say whether there is something new and how much would be fetched; write nothing')
    .option('--tag-version <pattern>', 'the newest tag that this pattern of versions allows, such as 1.*')
    .option('--pre-releases', 'with --tag-version: also versions with a word in them')
    .option('--hold <version>', 'with --tag-version: stay with this version from now on')
    .addOption(repeatable('--skip <version>', 'with --tag-version: wait for one that is newer than this'))
    .option('--unhold', 'with --tag-version: forget what was held and skipped');
  const examples = [
    'ostree-container pull --repo /srv/repo --ref os/main --remote origin registry.example.com/os:v2',
    "ostree-container pull --repo /srv/repo --ref os/main --gpg-keyring os.gpg --tag-version '1.*' registry.example.com/os",
  ];
  return repositoryCommand<Values>(
    repoLockOption(registriesOptions(placeOptions(verificationOptions(shape)))),
    examples,
    async (values, [text = ''], opened) => {
      const refspec = refspecOf(values, opened);
      const verifier = await verification(values, opened);
      const module = await import('../../images/index.ts');
      const settings = { ...imagesSettings(values, placeValues(values), opened), credentialsOrder: 'ostree' } as const;
      const images = module.openImages(settings);
      return closing(images, async () => {
        const named = await versionOf(values, module.parseImageName(text), { ...opened, images });
        const source = await images.source(named.name, opened.signal);
        return closing(source, async () => {
          const { openImage } = await import('../../ostree-container/index.ts');
          const image = await openImage(source, opened.signal);
          const work = { module, images, name: named.name, image, refspec, values, opened };
          if (values.check === true) return check(work);
          const pulled = await pull(work, verifier);
          named.pulled(pulled.commit);
          tell(pulled, verifier === undefined, work);
          return EXIT.done;
        });
      });
    },
  );
}

interface Work {
  readonly module: ImagesDoor;
  readonly images: Images;
  readonly name: ImageName;
  readonly image: OpenedSeed;
  readonly refspec: Refspec;
  readonly values: Values;
  readonly opened: Opened;
}

function refspecOf({ ref }: Values, { ostree }: Opened): Refspec {
  if (ref === undefined) throw new UsageError('no ref is named', 'write --ref REF');
  return ostree.parseRefspec(ref);
}

/** Undefined: nothing is asked of signatures, as the user wants. @throws UsageError; SeedError NO_VERIFICATION */
async function verification(values: Values, opened: Opened) {
  if (values.verify === false) {
    if (values.remote !== undefined || values.gpgKeyring !== undefined) {
      throw new UsageError('--no-verify excludes --remote and --gpg-keyring');
    }
    return undefined;
  }
  const verifier = await verifierFor(values, opened);
  if (verifier !== undefined || values.check === true) return verifier;
  throw await noVerification();
}

async function pull(work: Work, verifier: Awaited<ReturnType<typeof verification>>): Promise<PulledSeed> {
  const { image, refspec, values, opened } = work;
  const { repository, progress, signal } = opened;
  const { isEncapsulated, pullSeed } = await import('../../ostree-container/index.ts');
  const wait = repoLockWait(values, opened, repository);
  const options = { ref: refspec, verifier, onProgress: progress.emit, signal, ...wait };
  return isEncapsulated(image) ? pullEncapsulated(work, options) : pullSeed(repository, image, options);
}

/** Of format v1, whose admission is a matter of signatures of the commit alone. */
async function pullEncapsulated(
  { images, name, refspec, opened }: Work,
  options: PullSeedOptions,
): Promise<PulledSeed> {
  const { repository, ostree } = opened;
  const { unencapsulate } = await import('../../ostree-container/index.ts');
  const { hostPlatform } = await import('../../oci/index.ts');
  const ref = ostree.formatRefspec(refspec);
  const before = ostree.tryResolve(repository, ref);
  const pulled = await unencapsulate(repository, {
    ...options,
    images,
    ref,
    reference: { trust: { kind: 'unverified' }, image: name },
    admit: async () => undefined,
    platform: hostPlatform(),
  });
  const { commit, signatures, layers, fetchedBytes } = pulled;
  const read = layers.filter(({ isThere }) => !isThere);
  return { commit, before, signatures, layers: read, bytes: fetchedBytes };
}

async function check(work: Work): Promise<number> {
  const { image, refspec, opened, module, name } = work;
  const { output, repository } = opened;
  const { checkSeed, isEncapsulated } = await import('../../ostree-container/index.ts');
  const checked = isEncapsulated(image) ? await checkEncapsulated(work) : checkSeed(repository, image, refspec);
  const { commit, bytes, isNew, layers } = checked;
  const shown = module.formatImageName(name);
  if (!isNew) output.info(`${shown}: ${commit} is here already`);
  else {
    for (const { digest, size, isNeeded } of layers) {
      output.result(`${digest} ${formatBytes(size)}${isNeeded ? '' : ' (not needed)'}`);
    }
    output.info(`${shown}: ${commit ?? 'an unnamed commit'}: at most ${formatBytes(bytes)} to fetch`);
  }
  output.document(SCHEMA, { ...common(opened, shown, refspec, image), ...checkDocument(checked) });
  return isNew ? EXIT.available : EXIT.done;
}

async function checkEncapsulated({ images, name, refspec, opened }: Work): Promise<PullCheck> {
  const { repository, ostree, signal } = opened;
  const { planUnencapsulate } = await import('../../ostree-container/index.ts');
  const { hostPlatform } = await import('../../oci/index.ts');
  const plan = await planUnencapsulate(repository, {
    images,
    reference: { trust: { kind: 'unverified' }, image: name },
    admit: async () => undefined,
    platform: hostPlatform(),
    signal,
  });
  const { commit, bytes } = plan;
  const before = ostree.tryResolve(repository, ostree.formatRefspec(refspec));
  const layers = plan.layers.map(({ digest, size, isThere }) => ({ digest, size, isNeeded: !isThere }));
  return { commit, before, isNew: commit === undefined || commit !== before, layers, bytes };
}

function checkDocument({ commit, before, isNew, layers, bytes }: PullCheck) {
  return {
    check: true,
    commit: commit ?? null,
    previousCommit: before ?? null,
    isNew,
    bytes,
    layers: layers.map((layer) => ({ ...layer })),
  };
}

function tell(pulled: PulledSeed, isUnverified: boolean, { opened, refspec, module, name, image }: Work): void {
  const { output, ostree } = opened;
  const { commit, before, signatures, layers, bytes } = pulled;
  tellSignatures(commit, isUnverified ? undefined : signatures, opened);
  output.info(`${plural(layers.length, 'layer')} read, ${formatBytes(bytes)} fetched`);
  const ref = ostree.formatRefspec(refspec);
  output.result(before === commit ? `${ref} is at ${commit} already` : `${ref} => ${commit}`);
  output.document(SCHEMA, {
    ...common(opened, module.formatImageName(name), refspec, image),
    check: false,
    commit,
    previousCommit: before ?? null,
    isNew: before !== commit,
    verified: !isUnverified,
    signatures: signatures.map(signatureDocument),
    bytes,
    layers: layers.map(({ digest, size }) => ({ digest, size, isNeeded: true })),
  });
}

function common({ repository, ostree }: Opened, image: string, refspec: Refspec, { raw }: OpenedSeed) {
  return { repository: repository.path, image, ref: ostree.formatRefspec(refspec), digest: raw.digest };
}
