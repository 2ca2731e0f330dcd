/** What an image says about its installation: everything below `/exports` (spec system-containers 9). */
export { type Exports, readExports } from './exports.ts';
export { type ImageLabels, labelsOf } from './labels.ts';
export { type ContainerManifest, EMPTY_MANIFEST, parseContainerManifest } from './manifest.ts';
export { CONTRACT } from './paths.ts';
