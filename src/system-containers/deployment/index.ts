/** Deployments of containers on the disk: their `info`, the slots and the link, and how a new one is made. */
export {
  activeOf,
  assertNameFree,
  type Container,
  type Deployment,
  findContainer,
  listContainers,
  openContainer,
} from './container.ts';
export { deployedImages } from './deployed-images.ts';
export { directoryTree } from './directory-tree.ts';
export type { Info, TagVersion } from './info.ts';
export { decodeInfo, encodeInfo, NEW_INFO, readInfo, writeInfo } from './info-file.ts';
export { examine, type Prepared, prepare } from './prepare.ts';
export { type Rendered, render } from './render.ts';
export type { DeploymentRequest, DeploymentSource } from './request.ts';
export { removeLink, removeSlots, setActive, sweepLeftovers } from './slots.ts';
export { type OpenSource, openSource } from './source.ts';
export { rootfsOf, treeOf } from './tree-of.ts';
export { freeSlot, rollbackTarget, surplusSlots } from './which-slot.ts';
