import fs from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { CodedError } from '../../base/error.ts';
import { formatBytes, plural } from '../../base/text.ts';
import type { ImageName } from '../../images/index.ts';
import type { BuildOptions, BuiltImage, Webserver } from '../../ostree-container/index.ts';
import { UsageError } from '../arguments.ts';
import { placeOptions, placeValues, type RegistriesValues, registriesOptions } from '../images/registry-options.ts';
import { imagesSettings } from '../images/settings.ts';
import { closing, type ImagesDoor } from '../images/with-images.ts';
import { repeatable } from '../repeatable.ts';
import { type LockValues, type RepoValues, repoLockOption, repoLockWait } from '../shared-options.ts';
import { type Opened, repositoryCommand } from './repo/with-repository.ts';

interface Values extends RepoValues, RegistriesValues, LockValues {
  readonly ref?: string;
  readonly ociDir?: string;
  readonly push?: string;
  readonly from?: string;
  readonly cmd?: readonly string[];
  readonly label?: readonly string[];
  readonly staticDelta?: readonly string[];
  readonly format: 'seed' | 'v1';
  /** A file, or false for none. */
  readonly webserver?: string | false;
  readonly shellByDefault?: true;
}

const SCHEMA = 'ostree-container.build/1';

export function buildCommand(): Command {
  const shape = new Command('build')
    .description(
      'Make a container image of a commit: it runs as a container, serves its repository over HTTP, and can be pulled ' +
        'into a repository. No rights over files and no daemon are needed. The same commit and options give the same ' +
        'bytes.',
    )
    .option('--ref <ref>', 'a ref, or the checksum of a commit')
    .option('--oci-dir <directory[:tag]>', 'write an OCI image layout')
    .option('--push <image>', 'send it to a registry')
    .option('--from <image>', 'put it on top of this image, whose layers stay as they are')
    .addOption(
      repeatable('--cmd <word>', 'the shell that a container runs, word by word (default: what the commit names)'),
    )
    .addOption(repeatable('--label <key=value>', 'a label of the image'))
    .addOption(repeatable('--static-delta <from>', 'add a delta from this commit or ref; "empty": from nothing'))
    .addOption(new Option('--format <format>', 'how the image is made').choices(['seed', 'v1']).default('seed'))
    .option('--webserver <file>', 'this program serves the repository, instead of our own')
    .option('--no-webserver', 'leave the web server out')
    .option('--shell-by-default', 'run the shell and not the web server when no command is given');
  const examples = [
    'ostree-container build --repo /srv/repo --ref os/main --oci-dir /srv/image:v1',
    'ostree-container build --repo /srv/repo --ref os/main --static-delta os/main^ --push registry.example.com/os:v2',
  ];
  return repositoryCommand<Values>(
    repoLockOption(registriesOptions(placeOptions(shape))),
    examples,
    async (values, args, opened) => {
      if (args.length > 0) throw new UsageError(`unexpected word ${args[0]}`, 'write --ref REF');
      const module = await import('../../images/index.ts');
      const destination = destinationOf(module, values);
      const images = module.openImages(imagesSettings(values, placeValues(values), opened));
      return closing(images, async () => {
        const options = { ...optionsOf(module, values, destination, opened), images };
        const made = values.format === 'v1' ? await buildV1(options, values, opened) : await buildSeed(options, opened);
        tell(made, module.formatImageName(destination), opened);
        return 0;
      });
    },
  );
}

/** @throws UsageError unless exactly one is named */
function destinationOf({ parseImageName }: ImagesDoor, { ociDir, push }: Values): ImageName {
  if ((ociDir === undefined) === (push === undefined)) {
    throw new UsageError('name one destination: --oci-dir DIRECTORY[:TAG] or --push IMAGE');
  }
  if (ociDir !== undefined) return parseImageName(`oci:${ociDir}`);
  const name = parseImageName(push ?? '');
  if (name.transport === 'docker') return name;
  throw new UsageError('--push: expected the name of an image in a registry', 'a directory is --oci-dir');
}

async function buildSeed(options: BuildOptions, { repository }: Opened): Promise<BuiltImage> {
  const { buildImage } = await import('../../ostree-container/index.ts');
  return buildImage(repository, options);
}

/** The same as `container encapsulate` with its defaults. */
async function buildV1(options: BuildOptions, values: Values, { repository }: Opened): Promise<BuiltImage> {
  for (const [option, value] of [
    ['--from', values.from],
    ['--static-delta', values.staticDelta],
    ['--webserver', values.webserver],
    ['--shell-by-default', values.shellByDefault],
  ] as const) {
    if (value !== undefined && value !== false) throw new UsageError(`--format v1 has no ${option}`);
  }
  const { encapsulate } = await import('../../ostree-container/index.ts');
  const { revision, destination, labels = {}, ...rest } = options;
  const made = await encapsulate(repository, revision, destination, { ...rest, labels: Object.entries(labels) });
  const layers = made.layers.map(({ descriptor: { digest, size }, diffId }, i) => {
    return { part: i === 0 ? ('commit' as const) : ('component' as const), digest, size, diffId };
  });
  const contents = made.layers.reduce((sum, each) => sum + each.contents, 0);
  return { commit: made.commit, manifest: made.manifest, layers, contents, external: 0 };
}

function optionsOf(
  { parseImageName }: ImagesDoor,
  values: Values,
  destination: ImageName,
  opened: Opened,
): Omit<BuildOptions, 'images'> {
  const { progress, repository, signal } = opened;
  if (values.ref === undefined) throw new UsageError('no commit is named', 'write --ref REF');
  return {
    destination,
    revision: values.ref,
    from: values.from === undefined ? undefined : parseImageName(values.from),
    deltasFrom: values.staticDelta?.map((text) => (text === 'empty' ? undefined : text)),
    command: values.cmd,
    shellByDefault: values.shellByDefault === true,
    labels: labelsOf(values.label ?? []),
    webserver: webserverOf(values, opened),
    onProgress: progress.emit,
    signal,
    ...repoLockWait(values, opened, repository),
  };
}

function labelsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new InvalidArgumentError('--label: expected KEY=VALUE.');
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** Our own in a form that the tree can run, unless another one is named, or none is wanted. */
function webserverOf({ webserver }: Values, { ostree, output, repository, signal }: Opened): BuildOptions['webserver'] {
  if (webserver === false) return undefined;
  if (webserver !== undefined) return async () => foreignProgram(webserver);
  return async ({ commit }) => {
    const { webserverFor } = await import('../../ostree-container/index.ts');
    const { kind, size, about, read } = await webserverFor(ostree.objectsOf(repository), commit, { signal });
    output.info(`web server: ${kind === 'bundle' ? 'a script' : 'an executable'}, ${about}: ${formatBytes(size)}`);
    return { kind: 'own', size, read };
  };
}

/** @throws CodedError NOT_A_REGULAR_FILE; SystemError */
function foreignProgram(path: string): Webserver {
  const stats = fs.statSync(path);
  if (!stats.isFile()) throw new CodedError('NOT_A_REGULAR_FILE', `${path}: not a regular file`, { subject: path });
  return { kind: 'foreign', size: stats.size, read: () => fs.createReadStream(path, { highWaterMark: 2 ** 20 }) };
}

function tell(image: BuiltImage, destination: string, { output, repository }: Opened): void {
  const { commit, manifest, layers, contents, external } = image;
  const bytes = layers.reduce((sum, { size }) => sum + size, 0);
  output.info(`${destination}: commit ${commit}: ${plural(layers.length, 'layer')}, ${formatBytes(bytes)}`);
  output.result(manifest.digest);
  output.document(SCHEMA, {
    repository: repository.path,
    commit,
    destination,
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    contentObjects: contents,
    externalObjects: external,
    bytes,
    layers: layers.map((layer) => ({ ...layer })),
  });
}
