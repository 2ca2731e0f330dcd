import { Command, InvalidArgumentError } from 'commander';
import { formatBytes, plural } from '../../../base/text.ts';
import { readFileBounded } from '../../../linux/files/read.ts';
import type * as Container from '../../../ostree-container/index.ts';
import { UsageError } from '../../arguments.ts';
import { placeOptions, placeValues, type RegistriesValues, registriesOptions } from '../../images/registry-options.ts';
import { imagesSettings } from '../../images/settings.ts';
import { closing } from '../../images/with-images.ts';
import { repeatable } from '../../repeatable.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../../shared-options.ts';
import { repositoryCommand } from '../repo/with-repository.ts';

interface Values extends RepoValues, LockValues, RegistriesValues {
  readonly label?: readonly string[];
  readonly copymeta?: readonly string[];
  readonly copymetaOpt?: readonly string[];
  readonly versionLabel?: true;
  readonly cmd?: readonly string[];
  readonly config?: string;
  readonly contentmeta?: string;
  readonly singleLayer?: true;
  readonly maxLayers?: number;
  readonly priorBuild?: string;
  readonly compressionFast?: true;
}

type Door = typeof Container;

/** Of files that the user names. */
const CONTENT_META_LIMIT = 128 * 2 ** 20;
const CONFIG_LIMIT = 4 * 2 ** 20;

export function encapsulateCommand(): Command {
  const shape = new Command('encapsulate')
    .description(
      'Make a container image of a commit, in format v1, and print its digest. The image runs as a container, and ' +
        'hosts take the commit out of it. What changes together shares a layer. Equal commits give equal images.',
    )
    .argument('<commit>', 'a ref or a checksum')
    .argument('<image>', 'registry:HOST/NAME:TAG, oci:DIRECTORY:TAG, oci-archive:FILE, ...')
    .addOption(repeatable('--label <name=value>', 'add a label'))
    .addOption(repeatable('--copymeta <key>', 'make a label of this text in the metadata of the commit'))
    .addOption(repeatable('--copymeta-opt <key>', 'the same, if the commit has it'))
    .option('--version-label', 'the version of the commit also as the label "version", for old programs')
    .addOption(repeatable('--cmd <word>', 'what a container runs (default: as the commit says)'))
    .option('--config <file>', 'configuration of containers: the "config" of an OCI image configuration, in JSON')
    .option('--contentmeta <file>', 'which content belongs to which component, in JSON (default: found in the commit)')
    .option('--single-layer', 'everything in one layer')
    .option('--max-layers <number>', 'at most so many layers for components (default: 64)', readNumber)
    .option('--prior-build <image>', 'keep the layers of this image, so that what did not change is not sent again')
    .option('--compression-fast', 'compress less, and sooner');
  const examples = [
    'ostree-container container encapsulate --repo /srv/repo os/main registry:quay.io/example/os:stable',
    'ostree-container container encapsulate --repo /srv/repo --prior-build oci:/srv/os:1 os/main oci:/srv/os:2',
  ];
  const full = repoLockOption(registriesOptions(placeOptions(shape)));
  return repositoryCommand<Values>(full, examples, async (values, [revision = '', name = ''], opened) => {
    const { output, progress, repository, signal } = opened;
    const [module, container] = await Promise.all([
      import('../../../images/index.ts'),
      import('../../../ostree-container/index.ts'),
    ]);
    const destination = container.parseContainerReference(name);
    const request = {
      ...readRequest(values, container),
      runConfig: await readConfig(values.config, container),
    };
    const images = module.openImages(imagesSettings(values, placeValues(values), opened));
    return closing(images, async () => {
      const made = await container.encapsulate(repository, revision, destination, {
        ...request,
        ...repoLockWait(values, opened, repository),
        images,
        onProgress: progress.emit,
        signal,
      });
      const { commit, manifest, layers } = made;
      const size = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
      output.info(`commit ${commit}: ${plural(layers.length, 'layer')}, ${formatBytes(size)}`);
      output.result(manifest.digest);
      output.document('ostree-container.container-encapsulate/1', {
        repository: repository.path,
        commit,
        image: module.formatImageName(destination),
        manifestDigest: manifest.digest,
        layers: layers.map(({ descriptor, diffId, title, contents }) => {
          const { digest, mediaType, size: bytes, annotations } = descriptor;
          const components = annotations?.[container.COMPONENTS_ANNOTATION] ?? null;
          return { digest, mediaType, size: bytes, diffId, title, components, contentObjects: contents };
        }),
      });
      return 0;
    });
  });
}

function readRequest(values: Values, container: Door) {
  const { contentmeta, singleLayer, maxLayers, priorBuild } = values;
  if (singleLayer === true && (contentmeta ?? maxLayers ?? priorBuild) !== undefined) {
    throw new UsageError('--single-layer excludes --contentmeta, --max-layers and --prior-build');
  }
  if (maxLayers !== undefined) container.assertLayerLimit(maxLayers);
  return {
    components: readComponents(contentmeta, singleLayer === true, container),
    maxLayers,
    priorBuild: priorBuild === undefined ? undefined : container.parseContainerReference(priorBuild),
    labels: (values.label ?? []).map(readLabel),
    copyMetadata: values.copymeta,
    copyMetadataOptional: values.copymetaOpt,
    versionLabel: values.versionLabel,
    command: values.cmd,
    fast: values.compressionFast,
  };
}

function readComponents(file: string | undefined, isSingle: boolean, container: Door): Container.Components {
  if (file === undefined) return { kind: isSingle ? 'none' : 'commit' };
  const { bytes } = readFileBounded(file, CONTENT_META_LIMIT);
  return { kind: 'file', meta: container.parseContentMeta(bytes, file), name: file };
}

async function readConfig(file: string | undefined, container: Door) {
  return file === undefined ? undefined : container.parseRunConfig(readFileBounded(file, CONFIG_LIMIT).bytes, file);
}

function readLabel(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
  throw new UsageError(`--label ${text}: expected NAME=VALUE`);
}

function readNumber(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
