/** Manifests in the other dialect, or with other layers. Configurations stay as they are, byte for byte. */
import {
  type Descriptor,
  encodeManifest,
  type ImageIndex,
  type ImageManifest,
  type LayerPacking,
  MEDIA,
  packingOf,
  type RawManifest,
  rawManifest,
} from '../../oci/index.ts';
import { ImagesError } from '../error.ts';
import type { ManifestFormat } from './options.ts';

const OCI_LAYERS: Readonly<Record<LayerPacking, string>> = {
  none: MEDIA.ociLayer,
  gzip: MEDIA.ociLayerGzip,
  zstd: MEDIA.ociLayerZstd,
};
const DOCKER_LAYERS: Readonly<Record<LayerPacking, string>> = {
  none: MEDIA.dockerLayer,
  gzip: MEDIA.dockerLayerGzip,
  zstd: MEDIA.dockerLayerZstd,
};

export function formatOf(mediaType: string): ManifestFormat {
  return mediaType === MEDIA.dockerManifest || mediaType === MEDIA.dockerList ? 'v2s2' : 'oci';
}

export function layerType(format: ManifestFormat, packing: LayerPacking): string {
  return (format === 'oci' ? OCI_LAYERS : DOCKER_LAYERS)[packing];
}

/** @throws ImagesError IMAGE_UNSUITABLE for an artifact, which Docker's schema cannot express */
export function convertImage(
  manifest: ImageManifest,
  format: ManifestFormat,
  layers: readonly Descriptor[],
): RawManifest {
  const converted = layers.map((layer) => ({ ...layer, mediaType: convertLayerType(layer.mediaType, format) }));
  if (format === 'oci') {
    const config = { ...manifest.config, mediaType: configType(manifest.config.mediaType, MEDIA.ociConfig) };
    return encoded({ ...manifest, mediaType: MEDIA.ociManifest, config, layers: converted });
  }
  if (manifest.artifactType !== undefined || manifest.subject !== undefined) {
    throw new ImagesError('IMAGE_UNSUITABLE', 'an artifact has no form in Docker schema 2');
  }
  const config = { ...plain(manifest.config), mediaType: configType(manifest.config.mediaType, MEDIA.dockerConfig) };
  return encoded({
    ...manifest,
    mediaType: MEDIA.dockerManifest,
    config,
    layers: converted.map(plain),
    annotations: {},
  });
}

/** The same index with other manifests in it. */
export function convertIndex(index: ImageIndex, format: ManifestFormat, manifests: readonly Descriptor[]): RawManifest {
  const mediaType = format === 'oci' ? MEDIA.ociIndex : MEDIA.dockerList;
  return encoded({ ...index, mediaType, manifests });
}

/** Docker's descriptors have no annotations. */
function plain({ mediaType, digest, size, urls }: Descriptor): Descriptor {
  return { mediaType, digest, size, ...(urls === undefined ? {} : { urls }) };
}

function convertLayerType(mediaType: string, format: ManifestFormat): string {
  const packing = packingOf(mediaType);
  const isForeignType = mediaType === MEDIA.dockerForeign || mediaType.startsWith(MEDIA.ociForeign);
  if (packing === undefined) return mediaType;
  if (!isForeignType) return layerType(format, packing);
  return format === 'v2s2' ? MEDIA.dockerForeign : `${MEDIA.ociForeign}${packing === 'none' ? '' : `+${packing}`}`;
}

/** Configurations of other kinds (artifacts) keep their type. */
function configType(found: string, wanted: string): string {
  return found === MEDIA.ociConfig || found === MEDIA.dockerConfig ? wanted : found;
}

function encoded(manifest: ImageManifest | ImageIndex): RawManifest {
  return rawManifest(encodeManifest(manifest), manifest.mediaType);
}
