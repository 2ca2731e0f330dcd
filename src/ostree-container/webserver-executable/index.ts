/** The program that serves the repository of an image, for any tree that can run it. */
export { WebserverError, type WebserverErrorCode } from './error.ts';
export type { TreeRoot } from './tree-files.ts';
export { type ImageWebserver, type WebserverOptions, webserverFor } from './webserver-for.ts';
