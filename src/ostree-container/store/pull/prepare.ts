/** What there is to pull: the manifest, admitted, its configuration, and which layers are here already. */
import { quote } from '../../../base/text.ts';
import { chooseImage, formatImageName, type ImageSource, readImageConfig } from '../../../images/index.ts';
import {
  formatPlatform,
  hostPlatform,
  type ImageConfig,
  type ImageManifest,
  parseConfig,
  type RawManifest,
} from '../../../oci/index.ts';
import type { Checksum, Repository } from '../../../ostree/index.ts';
import { type ImageLayers, type Layer, splitLayers } from '../../labels/index.ts';
import { StoreError } from '../error.ts';
import { cacheUpdate, clearCachedUpdate, findImageIfStored, layerCommit, type StoredImage } from '../records/index.ts';
import type { PlannedLayer, StorePrepareOptions } from './options.ts';

export interface Prepared {
  readonly source: ImageSource;
  readonly manifest: RawManifest;
  readonly image: ImageManifest;
  readonly configBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly layers: ImageLayers;
  readonly planned: readonly PlannedLayer[];
  /** What the repository has under this name. */
  readonly stored: StoredImage | undefined;
  /** The stored image is this one: the same manifest, or one with the same configuration. */
  readonly isStored: boolean;
}

/**
 * One request for the manifest when it is the stored one, and one for the configuration when it is not; then the old
 * image learns of the new one.
 * @throws OciError; ImagesError; RegistryError; LabelError FINAL_DIFFID_*; StoreError LAYERS_UNSIGNED, NOT_BOOTABLE
 */
export async function prepareImage(
  repository: Repository,
  source: ImageSource,
  options: StorePrepareOptions,
): Promise<Prepared> {
  const { reference, platform, signal, admit } = options;
  const first = await source.readManifest(undefined, signal);
  const { raw: manifest, manifest: image } = await chooseImage(source, first, platform, signal);
  await admit(source, manifest, signal);
  const stored = findImageIfStored(repository, reference.image);
  const isStored = stored !== undefined && isSameImage(repository, stored, manifest, image);
  const known = isStored && stored.config.length > 0 ? stored.config : undefined;
  const configBytes = known ?? (await readImageConfig(source, image.config, signal));
  const config = parseConfig(configBytes);
  const layers = splitLayers(isStored ? stored.image : image, config);
  assertWanted(layers, config, options);
  if (isStored) await clearCachedUpdate(repository, stored.commit, options);
  else if (stored !== undefined)
    await cacheUpdate(repository, stored.commit, { manifest, config: configBytes }, options);
  return { source, manifest, image, configBytes, config, layers, planned: plan(repository, layers), stored, isStored };
}

/** Without the layer that brings its commit nobody can tell any more who has signed that. */
function isSameImage(
  repository: Repository,
  stored: StoredImage,
  manifest: RawManifest,
  { config }: ImageManifest,
): boolean {
  const [lowest] = stored.image.layers;
  const isSame = stored.manifest.digest === manifest.digest || stored.image.config.digest === config.digest;
  return isSame && (lowest === undefined || layerCommit(repository, lowest.digest) !== undefined);
}

function plan(repository: Repository, { base, components, derived }: ImageLayers): PlannedLayer[] {
  const of = (kind: PlannedLayer['kind'], layers: readonly Layer[]): PlannedLayer[] =>
    layers.map(({ descriptor: { digest, mediaType, size } }) => {
      return { kind, digest, mediaType, size, isThere: layerCommit(repository, digest) !== undefined };
    });
  return [...of('base', base === undefined ? [] : [base]), ...of('component', components), ...of('derived', derived)];
}

/** @throws StoreError LAYERS_UNSIGNED, NOT_BOOTABLE */
function assertWanted(
  { base, derived, isBootable }: ImageLayers,
  config: ImageConfig,
  { reference: { image, trust }, allowUnsignedLayers, requireBootable }: StorePrepareOptions,
): void {
  const name = formatImageName(image);
  if (trust.kind === 'remote' && base === undefined) {
    throw new StoreError('LAYERS_UNSIGNED', `${name}: has no OSTree commit that could be signed`, { subject: name });
  }
  if (trust.kind === 'remote' && derived.length > 0 && !allowUnsignedLayers) {
    const text = `${name}: the signature of its commit does not cover the ${derived.length} layers on top of it`;
    throw new StoreError('LAYERS_UNSIGNED', text, {
      hint: 'require a signature of the image with ostree-image-signed:, or write --allow-unsigned-layers',
      subject: name,
    });
  }
  if (requireBootable) assertBootable(name, isBootable, config);
}

function assertBootable(name: string, isBootable: boolean, { architecture }: ImageConfig): void {
  const host = hostPlatform();
  if (!isBootable) {
    throw new StoreError('NOT_BOOTABLE', `${name}: has no label ostree.bootable or containers.bootc`, {
      subject: name,
    });
  }
  if (architecture !== host.architecture) {
    const text = `${name}: is for ${quote(architecture)}, this machine is ${formatPlatform(host)}`;
    throw new StoreError('NOT_BOOTABLE', text, { subject: name });
  }
}

/** The commit of the layer that brings it, where that is here. */
export function storedBase(repository: Repository, { base }: ImageLayers): Checksum | undefined {
  return base && layerCommit(repository, base.descriptor.digest);
}
