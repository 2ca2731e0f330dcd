/** A container set up for the first time (spec system-containers 14). */
export { findWanted, type PortRequest, type PullPort, storedImage, type WantedImage } from './find-image.ts';
export { assertFree, type Installed, type InstallRequest, installContainer, withPrepared } from './install.ts';
export { type DeploymentPlan, type GeneratedFile, planDeployment, planInstallation } from './plan.ts';
