/** What the store writes into a repository, and reads back. */
export {
  type Counts,
  type DerivedLayer,
  type LayerContext,
  readDerivedLayer,
  writeDerivedLayer,
} from './derived-layer.ts';
export {
  type ImageFacts,
  readMergeCommit,
  readMergeCommitIfAny,
  type StoredImage,
  sumOf,
  writeMergeCommit,
} from './merge-commit.ts';
export { readObjectSet, writeObjectSet } from './object-set.ts';
export { imageOfRef, imageRef, layerCommit, layerRef, readStoreRefs, type StoreRef, type StoreRefs } from './refs.ts';
export { findImage, findImageIfStored, imageNotStored, listImages } from './stored-images.ts';
export { cachedUpdate, cacheUpdate, clearCachedUpdate } from './update-cache.ts';
