/** Images of the Open Container Initiative and of Docker: names, manifests, layers, layouts and archives. */
export {
  type ArchiveWriter,
  type ArchiveWriterOptions,
  openOciArchive,
  writeOciArchive,
} from './archive/index.ts';
export {
  assertSameLayers,
  encodeConfig,
  type HistoryEntry,
  type ImageConfig,
  parseConfig,
  type RunConfig,
} from './config.ts';
export { type Descriptor, EMPTY_DESCRIPTOR, EMPTY_JSON, embeddedData } from './descriptor.ts';
export {
  assertDigest,
  type Digest,
  type DigestAlgorithm,
  DigestCheck,
  digestOf,
  isDigest,
  parseDigest,
  splitDigest,
} from './digest.ts';
export {
  assertReplaceable,
  createDirectoryImage,
  DirectoryImage,
  type DirectoryWriter,
  openDirectoryImage,
} from './directory/index.ts';
export {
  type ArchivedImage,
  assertNewArchive,
  type DockerArchive,
  type DockerArchiveWriter,
  openDockerArchive,
  writeDockerArchive,
} from './docker-archive/index.ts';
export { OciError, type OciErrorCode } from './error.ts';
export type { ImageReader } from './image-reader.ts';
export { MANIFEST_LIMIT } from './json.ts';
export { type OpenLayerOptions, openLayer } from './layer/open-layer.ts';
export { type PackedLayer, type PackLayerOptions, packLayer } from './layer/pack-layer.ts';
export { type SpooledLayer, type SpoolOptions, spoolLayer } from './layer/spool-layer.ts';
export {
  assertLayoutPlace,
  type BlobSource,
  changeLayout,
  createLayout,
  Layout,
  LayoutWriter,
  type LayoutWriterOptions,
  openLayout,
  REF_NAME,
} from './layout/index.ts';
export {
  artifactTypeOf,
  encodeManifest,
  type ImageIndex,
  type ImageManifest,
  type Manifest,
  parseManifest,
  type RawManifest,
  rawManifest,
} from './manifest.ts';
export {
  ACCEPTED_MANIFESTS,
  isForeign,
  isIndexType,
  isManifestType,
  type LayerPacking,
  MEDIA,
  packingOf,
} from './media-types.ts';
export {
  canRun,
  choosePlatform,
  formatPlatform,
  hostPlatform,
  type Platform,
  parsePlatform,
} from './platform.ts';
export {
  familiarName,
  formatNamed,
  isTag,
  type NamedReference,
  parseNamed,
  referenceOf,
  repositoryName,
  withDefaultTag,
} from './reference.ts';
export {
  openStoredImage,
  parseStorageName,
  StorageError,
  type StorageErrorCode,
  type StorageName,
  type StorageOptions,
  type StoredName,
} from './storage/index.ts';
