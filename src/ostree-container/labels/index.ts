/** What images say of the commits in them, and commits of images. */
export { type ContainerFacts, containerFacts } from './container-facts.ts';
export { LabelError, type LabelErrorCode } from './error.ts';
export { assertCommitLabel, LABELS, labelMismatch } from './labels.ts';
export { type ImageLayers, type Layer, splitLayers } from './split-layers.ts';
