/** Images, layers and configurations in an OSTree repository (spec system-containers 5). */
export { blobBranch, blobCommit, imageBranch, unescapeName } from './branch.ts';
export { type DeletedImage, deleteImage, tagImage } from './change.ts';
export { fullName, givenName, localName, nameFor } from './image-names.ts';
export { findImage, findStoredAs, imageOf, isStored, listImages, readableImages } from './images.ts';
export { type InUse, imageOfDeployment, imagesInUse } from './in-use.ts';
export {
  layerFacts,
  layersBelow,
  listBlobs,
  readConfigBytes,
  readStoredConfig,
  type StoredBlob,
  storedLayer,
} from './layers.ts';
export { mergedCommit } from './merged.ts';
export { type PrunedImages, type PruneOptions, pruneImages } from './prune.ts';
export { findStorage, openStorage } from './storage.ts';
export type { BrokenImage, LayerFacts, StoredImage } from './stored-image.ts';
export { imageTree } from './tree.ts';
export { type FileProblem, verifyDeployment } from './verify.ts';
export { type ObjectProblem, verifyImage } from './verify-objects.ts';
export {
  type ImageToWrite,
  type LayerToWrite,
  writeConfigBranch,
  writeImageBranch,
  writeLayerBranch,
} from './write.ts';
