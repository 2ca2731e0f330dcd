/** What is done inside the build of an image. */
export { type Emptied, emptyBuildRoot } from './empty-build-root.ts';
export { BuildRootError, type BuildRootErrorCode } from './error.ts';
