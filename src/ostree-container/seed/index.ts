/** The seed layout: an image that is a container, a web server and a repository at once; spec part 1. */
export { buildImage } from './build/build.ts';
export type { CommitFacts } from './build/commit-facts.ts';
export type { BuildOptions, BuiltImage, BuiltLayer, Webserver } from './build/options.ts';
export { SeedError, type SeedErrorCode } from './error.ts';
export { isMapHead, type MapHead, type MappedFile, readObjectMap } from './format/object-map.ts';
export { type CheckedLayer, checkSeed, type PullCheck } from './pull/check.ts';
export { isEncapsulated, type OpenedSeed, openImage } from './pull/image-layers.ts';
export { type PulledSeed, type PullSeedOptions, pullSeed } from './pull/pull.ts';
export { type Mark, readTagState, type TagState, writeTagState } from './tags/tag-state.ts';
