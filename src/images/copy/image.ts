/** One image from one place to another, converted where the destination or the user wants it otherwise. */
import { plural } from '../../base/text.ts';
import {
  assertSameLayers,
  type Descriptor,
  type Digest,
  type ImageManifest,
  type LayerPacking,
  openLayer,
  packingOf,
  parseConfig,
  type RawManifest,
  spoolLayer,
} from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import { formatImageName } from '../image-name.ts';
import type { ImageDestination, ImageSource } from '../ports.ts';
import type { BlobTally } from './blobs.ts';
import { planBlobs } from './blobs.ts';
import { readImageConfig } from './config.ts';
import { convertImage, formatOf, layerType } from './convert.ts';
import type { ImageMember } from './members.ts';
import type { CopyOptions, ManifestFormat, PlannedBlob } from './options.ts';

/** Unpacked bytes of one layer, when it is packed anew: as much as the largest file system image. */
const LAYER_LIMIT = 2 ** 40;

/** What has to become of an image. */
export interface Conversion {
  readonly format: ManifestFormat;
  /** How layers are to be packed; undefined: each as it is. */
  readonly packing: LayerPacking | undefined;
  readonly isNeeded: boolean;
}

export function conversionOf(
  { manifest }: ImageMember,
  source: ImageSource,
  destination: ImageDestination,
  options: CopyOptions,
): Conversion {
  const packing = wantedPacking(source, destination, options);
  const repacked = packing !== undefined && manifest.layers.some((layer) => mustRepack(layer, packing));
  const here = formatOf(manifest.mediaType);
  const wanted = wantedFormat(here, destination, options);
  // Docker's schema 2 knows no zstd.
  const format = repacked && packing === 'zstd' && options.format === undefined ? 'oci' : wanted;
  return { format, packing, isNeeded: repacked || format !== here };
}

/**
 * skopeo, podman and umoci find only OCI manifests in a layout, so that is what they get, as they do it themselves.
 * With `preserveDigests` a layout holds what there is; ours reads that.
 */
export function wantedFormat(
  here: ManifestFormat,
  { name }: ImageDestination,
  { format, preserveDigests }: Pick<CopyOptions, 'format' | 'preserveDigests'>,
): ManifestFormat {
  if (format !== undefined) return format;
  if (name.transport === 'docker-archive') return 'v2s2';
  const isLayout = name.transport === 'oci' || name.transport === 'oci-archive';
  return isLayout && !preserveDigests ? 'oci' : here;
}

function wantedPacking(
  source: ImageSource,
  destination: ImageDestination,
  { packing }: CopyOptions,
): LayerPacking | undefined {
  if (destination.layers === 'tars') return 'none';
  if (packing !== undefined) return packing;
  return source.layers === 'tars' && destination.name.transport !== 'dir' ? 'gzip' : undefined;
}

function mustRepack({ mediaType }: Descriptor, packing: LayerPacking): boolean {
  const found = packingOf(mediaType);
  return found !== undefined && found !== packing;
}

/** Which blobs of some images move, each once; without the layers that are packed anew. */
export function planImages(
  images: readonly PlannedImage[],
  destination: ImageDestination,
  options: CopyOptions,
): Promise<PlannedBlob[]> {
  const blobs = images.flatMap(({ member: { manifest }, conversion }) => [
    manifest.config,
    ...manifest.layers.filter((layer) => !isRepacked(layer, conversion)),
  ]);
  return planBlobs(blobs, destination, options);
}

function isRepacked(layer: Descriptor, { packing }: Conversion): boolean {
  return packing !== undefined && mustRepack(layer, packing);
}

export interface CopiedImage {
  readonly raw: RawManifest;
  readonly tally: BlobTally;
}

/** What is said of one image of a copy before anything moves. */
export interface PlannedImage {
  readonly member: ImageMember;
  readonly conversion: Conversion;
}

export interface Way {
  readonly source: ImageSource;
  readonly destination: ImageDestination;
  readonly options: CopyOptions;
  readonly tally: BlobTally;
  /** Layers of this copy that were packed anew already, by the digest that they had. */
  readonly repacked: Map<Digest, Descriptor>;
}

/** The manifest as it is to be stored, after its blobs; layers that are to be packed anew are sent here. */
export async function finishImage({ member, conversion }: PlannedImage, way: Way): Promise<RawManifest> {
  if (!conversion.isNeeded) return member.raw;
  const layers = await repackLayers(member, conversion, way);
  return convertImage(member.manifest, conversion.format, layers);
}

async function repackLayers({ manifest }: ImageMember, conversion: Conversion, way: Way): Promise<Descriptor[]> {
  if (!manifest.layers.some((layer) => isRepacked(layer, conversion))) return [...manifest.layers];
  const diffIds = await diffIdsOf(manifest, way);
  const layers: Descriptor[] = [];
  for (const [i, layer] of manifest.layers.entries()) {
    if (!isRepacked(layer, conversion)) {
      layers.push(layer);
      continue;
    }
    const packed = way.repacked.get(layer.digest) ?? (await repack(layer, diffIds[i], conversion, way));
    way.repacked.set(layer.digest, packed);
    layers.push(packed);
  }
  return layers;
}

async function repack(
  layer: Descriptor,
  diffId: Digest | undefined,
  { format, packing = 'none' }: Conversion,
  { source, destination, options, tally }: Way,
): Promise<Descriptor> {
  const { signal, onProgress } = options;
  const blob = source.readBlob(layer, 0, signal);
  const tar = openLayer(layer, blob, { diffId, limit: LAYER_LIMIT, signal });
  const spooled = await spoolLayer(tar, { packing });
  try {
    const { digest, size } = spooled;
    const packed: Descriptor = { mediaType: layerType(format, packing), digest, size };
    if (await destination.hasBlob(packed, signal)) {
      tally.there++;
    } else {
      await destination.putBlob(packed, spooled.read, signal);
      tally.copied++;
      tally.bytes += size;
      onProgress({ kind: 'note', text: `packed blob ${digest} (${plural(size, 'byte')}) from ${layer.digest}` });
    }
    return packed;
  } finally {
    spooled.close();
  }
}

/** From the configuration: what the layers unpack to is what the image is. */
async function diffIdsOf(manifest: ImageManifest, { source, options }: Way): Promise<readonly Digest[]> {
  const parsed = parseConfig(await readImageConfig(source, manifest.config, options.signal));
  assertSameLayers(manifest, parsed);
  return parsed.rootfs.diff_ids;
}

export function wouldChange({ raw }: { readonly raw: RawManifest }, { name }: ImageDestination): ImagesError {
  const text = `${formatImageName(name)}: cannot hold ${raw.digest} without another digest`;
  return new ImagesError('DIGEST_WOULD_CHANGE', text, {
    hint: 'without --preserve-digests it is stored with another one',
    subject: raw.digest,
  });
}
