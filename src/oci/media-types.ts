/** Media types of the OCI image specification 1.1 and of Docker's manifest schema 2. */
export const MEDIA = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  /** Not to be distributed, as Windows' base layers were; deprecated since 1.1. */
  ociForeign: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
  empty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerLayerZstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
  dockerForeign: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

/** What is asked of a registry, best first; without schema 1, which then is not sent where anything else exists. */
export const ACCEPTED_MANIFESTS: readonly string[] = [
  MEDIA.ociManifest,
  MEDIA.ociIndex,
  MEDIA.dockerManifest,
  MEDIA.dockerList,
];

export function isIndexType(mediaType: string): boolean {
  return mediaType === MEDIA.ociIndex || mediaType === MEDIA.dockerList;
}

export function isManifestType(mediaType: string): boolean {
  return ACCEPTED_MANIFESTS.includes(mediaType);
}

/** How a layer is packed; undefined for what is no layer of files. */
export type LayerPacking = 'none' | 'gzip' | 'zstd';

const LAYERS: Readonly<Record<string, LayerPacking>> = {
  [MEDIA.ociLayer]: 'none',
  [MEDIA.ociLayerGzip]: 'gzip',
  [MEDIA.ociLayerZstd]: 'zstd',
  [MEDIA.ociForeign]: 'none',
  [`${MEDIA.ociForeign}+gzip`]: 'gzip',
  [`${MEDIA.ociForeign}+zstd`]: 'zstd',
  [MEDIA.dockerLayer]: 'none',
  [MEDIA.dockerLayerGzip]: 'gzip',
  [MEDIA.dockerLayerZstd]: 'zstd',
  [MEDIA.dockerForeign]: 'gzip',
};

export function packingOf(mediaType: string): LayerPacking | undefined {
  return Object.hasOwn(LAYERS, mediaType) ? LAYERS[mediaType] : undefined;
}

/** Layers that may lie elsewhere than in the registry. */
export function isForeign(mediaType: string): boolean {
  return mediaType.startsWith(MEDIA.ociForeign) || mediaType === MEDIA.dockerForeign;
}
