/** What is done with images that are stored. */
export { type CopiedImage, copyStoredImage } from './copy-image.ts';
export { type HistoryRow, imageHistory } from './history.ts';
export { type PrunedLayers, type PruneLayersOptions, pruneLayers } from './prune-layers.ts';
export { type RemovedImages, removeImages } from './remove-images.ts';
