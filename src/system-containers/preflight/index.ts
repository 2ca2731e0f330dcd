/** What is looked at before anything on the host changes. */
export { checkDeployment, type Preflight, type PreflightRequest } from './check-deployment.ts';
export { type DefaultTmpfilesRequest, defaultTmpfiles } from './default-tmpfiles.ts';
export { PERMISSIONS, type Permission } from './permissions.ts';
