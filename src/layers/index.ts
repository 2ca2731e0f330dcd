/** Layers of container images as OSTree trees, on metadata: import, whiteouts, merging (spec ostree-container 2.7). */
export { type ApplyOptions, applyLayer } from './apply/apply-layer.ts';
export { removeBuildLeftovers } from './apply/build-leftovers.ts';
export { type MergeOptions, mergeLayers } from './apply/merge-layers.ts';
export { batchesOf } from './batches.ts';
export { LayerError, type LayerErrorCode } from './error.ts';
export { type FetchedLayer, type OpenLayer, openFetched, readFetched } from './fetched-layer.ts';
export { importLayer } from './import/import-layer.ts';
export {
  type ImportedLayer,
  type ImportOptions,
  LAYER_LIMITS,
  type LayerCounts,
  type LayerLimits,
  type SkippedFile,
} from './import/options.ts';
export {
  type ImageLayer,
  type ImportedImage,
  type ImportImageOptions,
  importImageLayers,
  type WrittenLayer,
} from './import-image.ts';
export { isWrongBlob, readKept } from './kept-blob.ts';
export { type LayerTarOptions, writeLayerTar } from './layer-tar.ts';
export { impliedMetadata, impliedOf, type LayerTree, type StoredLayer } from './layer-tree.ts';
export { type OstreePathOptions, ostreePaths, type Path, type PathRule, SAME_PATHS } from './path-rule.ts';
export { hasTransientRoot } from './transient-root.ts';
