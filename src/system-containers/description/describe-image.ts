/** One stored image in full: facts of the store, labels, variables, and what it would put on the host. */
import type { ImageConfig } from '../../oci/index.ts';
import type { Repository, TransactionOptions } from '../../ostree/index.ts';
import { labelsOf, readExports } from '../contract/index.ts';
import type { Host } from '../host.ts';
import { hostFilesOf } from '../host-files/index.ts';
import { type Finding, lintImage } from '../lint/index.ts';
import { defaultName } from '../names/index.ts';
import { imageTree, layerFacts, mergedCommit, readStoredConfig, type StoredImage } from '../storage/index.ts';
import { askedVariables } from '../variables/index.ts';

export interface ImageDescription {
  readonly image: StoredImage;
  /** Bytes of its layers, unpacked. */
  readonly size: number;
  readonly config: ImageConfig | undefined;
  readonly labels: ReadonlyMap<string, string>;
  /** Variables of its templates that have a default, and those that must be set. */
  readonly defaults: ReadonlyMap<string, string>;
  readonly required: readonly string[];
  /** False: unit and configuration are made up, which hardly ever is enough. */
  readonly hasExports: boolean;
  readonly hasService: boolean;
  /** Has a program that tells whether the service is healthy. */
  readonly hasCheck: boolean;
  /** Paths on the host, sorted, as they are with the defaults; where a value has to be set they have its name in them. */
  readonly hostFiles: readonly string[];
  /** What the linter would tell its author. */
  readonly findings: readonly Finding[];
}

/** @throws ContainerError BAD_STORED_IMAGE, BAD_IMAGE_MANIFEST, BAD_TEMPLATE */
export async function describeImage(
  host: Pick<Host, 'places'>,
  repository: Repository,
  image: StoredImage,
  options: TransactionOptions,
): Promise<ImageDescription> {
  const tree = imageTree(repository, await mergedCommit(repository, image, options), image.name);
  const config = readStoredConfig(repository, image);
  const { manifest, hasExports, check } = readExports(tree);
  const { defaults, required } = askedVariables(tree);
  const { run, state, conf } = host.places.directories;
  const likely: readonly (readonly [string, string])[] = [
    ['RUN_DIRECTORY', run],
    ['STATE_DIRECTORY', state],
    ['CONF_DIRECTORY', conf],
    ['NAME', defaultName(image.name)],
  ];
  const files = hostFilesOf(tree, manifest, new LikelyValues([...likely, ...defaults]));
  return {
    image,
    size: sizeOf(repository, image),
    config,
    labels: labelsOf(config).all,
    defaults,
    required,
    hasExports,
    hasService: !manifest.noContainerService,
    hasCheck: check,
    hostFiles: files.flatMap(({ kind, path }) => (kind === 'directory' ? [] : [path])).sort(),
    findings: lintImage(tree, config),
  };
}

/** Bytes of the unpacked layers; those of layers that several images share count for each of them. */
export function sizeOf(repository: Repository, { layers }: StoredImage): number {
  return layers.reduce((sum, digest) => sum + (layerFacts(repository, digest)?.uncompressedSize ?? 0), 0);
}

/** Every variable has a value: the one it would have, else its own name, so that paths can be shown. */
class LikelyValues extends Map<string, string> {
  override has(): boolean {
    return true;
  }

  override get(name: string): string {
    return super.get(name) ?? (/(?:DIR|DIRECTORY|PATH)$/.test(name) ? `/$${name}` : `$${name}`);
  }
}
