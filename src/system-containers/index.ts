/** System services as OCI containers under systemd: pulled into an OSTree store, installed, updated, rolled back. */
export { ContainerError, type ContainerErrorCode } from './error.ts';
export type { ActionLog, Host } from './host.ts';
export type { ImageTree, TreeEntry } from './image-tree.ts';
