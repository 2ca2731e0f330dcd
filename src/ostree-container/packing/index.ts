/**
 * Content of a commit into layers that change as little as possible (spec ostree-container 2.5). In this order:
 *
 * 1. which parts the commit has: `componentsOfCommit` finds them in the commit itself, `parseContentMeta` and
 *    `componentsOfContentMeta` take them from a file of the user;
 * 2. `packLayers` gives the component layers of the image, the one of the metadata not among them.
 */
export { type CommitComponents, componentsOfCommit, contentSizes } from './assign.ts';
export { type Chunk, packLayers } from './chunks.ts';
export type { Component, ComponentMapping } from './components.ts';
export { type ContentMeta, componentsOfContentMeta, parseContentMeta } from './content-meta.ts';
export { PackingError, type PackingErrorCode } from './error.ts';
export { assertLayerLimit, DEFAULT_LAYERS, FEWEST_LAYERS, MOST_LAYERS } from './pack.ts';
export { COMPONENTS_ANNOTATION, type PriorLayer, priorBuildOf } from './prior-build.ts';
