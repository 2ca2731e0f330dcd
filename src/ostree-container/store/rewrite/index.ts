/** Images made out of other images. */
export { type ReexportOptions, reexportImage } from './reexport.ts';
export { type ReplaceOptions, replaceDetachedMetadata } from './replace-detached-metadata.ts';
