/** The layered store of images in a repository (spec ostree-container 2.7, 2.9, 2.10). */
export { StoreError, type StoreErrorCode } from './error.ts';
export {
  type CopiedImage,
  copyStoredImage,
  type HistoryRow,
  imageHistory,
  type PrunedLayers,
  type PruneLayersOptions,
  pruneLayers,
  type RemovedImages,
  removeImages,
} from './manage/index.ts';
export {
  checkStore,
  type LayerKind,
  type PlannedLayer,
  pullIntoStore,
  type StorePlan,
  type StorePrepareOptions,
  type StorePull,
  type StorePullOptions,
} from './pull/index.ts';
export {
  cachedUpdate,
  clearCachedUpdate,
  findImage,
  imageNotStored,
  listImages,
  type StoredImage,
} from './records/index.ts';
export {
  type ReexportOptions,
  type ReplaceOptions,
  reexportImage,
  replaceDetachedMetadata,
} from './rewrite/index.ts';
export {
  type Deployed,
  type Deployment,
  type DeployOptions,
  deployImage,
  listDeployments,
  openSysrootRepository,
  type PrunedImages,
  type PruneImagesOptions,
  pruneImages,
} from './sysroot/index.ts';
