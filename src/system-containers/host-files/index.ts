/** What an image puts on the host: found, planned, written and removed again (spec system-containers 13). */
export { type CopyOptions, copyStep } from './copy-step.ts';
export { type HostFile, type HostFileRules, hostFilesOf, hostTemplatesOf } from './image-files.ts';
export { HostRoot, openParents, type Parents } from './open-parents.ts';
export { planHostFiles } from './plan.ts';
export type { Before, HostFilesRequest, HostPlan, HostRecord, HostStep, InstalledFiles } from './plan-types.ts';
export { removalStep } from './removal-step.ts';
export { leftInPlace, withStrays } from './strays.ts';
