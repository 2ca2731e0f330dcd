import { Command } from 'commander';
import { codeOf, explain } from '../../../base/error.ts';
import type { ImageSource } from '../../../images/index.ts';
import { hostPlatform, parsePlatform, repositoryName } from '../../../oci/index.ts';
import { UsageError } from '../../arguments.ts';
import { refuseOptions } from '../../images/refused-options.ts';
import type { RegistriesValues } from '../../images/registry-options.ts';
import { imageCommand, type WithImages, withSource } from '../../images/with-images.ts';
import { type InspectRequest, inspectImage, rawConfigOf, rawManifestOf } from './inspect-image.ts';
import { inspectDocument, inspectText } from './inspect-text.ts';

const SCHEMA = 'ostree-container.image-inspect/1';

interface Values extends RegistriesValues {
  readonly raw?: true;
  readonly config?: true;
  readonly platform?: string;
  readonly tags: boolean;
}

export function inspectCommand(): Command {
  const shape = new Command('inspect')
    .description(
      'Show what an image is: digest, platforms, layers and their sizes, what it runs. Nothing is stored, and no ' +
        'layer is fetched.',
    )
    .argument('<name>', 'image with its transport: docker://HOST/NAME:TAG, oci:DIRECTORY:TAG, dir:DIRECTORY ...')
    .option('--raw', 'the manifest, byte for byte; with --config the configuration')
    .option('--config', 'the configuration of the image, byte for byte')
    .option('--platform <os/arch[/variant]>', 'which image of an index (default: the one for this machine)')
    .option('-n, --no-tags', 'do not list the tags of the repository');
  refuseOptions(shape, { '-f, --format <template>': 'write --json, and take what is wanted from the document' });
  const examples = [
    'ostree-container image inspect docker://quay.io/fedora/fedora-coreos:stable',
    'ostree-container image inspect --raw oci:/srv/layout:v1 | sha256sum',
  ];
  return imageCommand<Values>(shape, examples, async (values, name, context) => {
    const isBytes = values.raw === true || values.config === true;
    if (isBytes && context.output.options.json) {
      throw new UsageError('--json excludes --raw and --config, which print JSON as it was made');
    }
    return withSource(context, name, async (source) => {
      if (isBytes) await printBytes(source, values, context);
      else await printFacts(source, values, context);
      return 0;
    });
  });
}

async function printBytes(source: ImageSource, values: Values, { signal }: WithImages): Promise<void> {
  const read = values.config === true ? rawConfigOf : rawManifestOf;
  process.stdout.write(await read(source, requestOf(values), signal));
}

async function printFacts(source: ImageSource, values: Values, context: WithImages): Promise<void> {
  const { output, signal } = context;
  const inspected = await inspectImage(source, requestOf(values), signal);
  const tags = values.tags ? await tagsBeside(source, context) : undefined;
  output.results(inspectText(inspected, tags));
  output.document(SCHEMA, inspectDocument(inspected, tags));
}

/** Who may read an image may not always list its neighbours: that is no failure. */
async function tagsBeside({ identity }: ImageSource, { images, output, signal }: WithImages) {
  if (identity === undefined) return undefined;
  const name = { transport: 'docker', location: repositoryName(identity), selector: undefined, isBare: false } as const;
  try {
    return await (await images.repository(name, signal)).repository.listTags(signal);
  } catch (error) {
    if (!['REGISTRY_DENIED', 'REGISTRY_NOT_FOUND', 'REGISTRY_ERROR'].includes(codeOf(error) ?? '')) throw error;
    output.info(`tags are not shown: ${explain(error)}`);
    return undefined;
  }
}

function requestOf({ platform }: Values): InspectRequest {
  if (platform === undefined) return { platform: hostPlatform(), isChosen: false };
  return { platform: parsePlatform(platform), isChosen: true };
}
