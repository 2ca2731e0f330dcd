/** Images and the deployments of a sysroot. */
export { type Deployed, type DeployOptions, deployImage } from './deploy.ts';
export { type Deployment, listDeployments, openSysrootRepository } from './deployments.ts';
export { type PrunedImages, type PruneImagesOptions, pruneImages } from './prune-images.ts';
