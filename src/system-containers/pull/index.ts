/** Images from wherever they are into the repository (spec system-containers 4 and 6). */
export { planPull, pullImage } from './pull.ts';
export { type PullReference, readReference, referenceByVersion } from './reference.ts';
export type { PlannedLayer, PulledImage, PullPlan, PullRequest } from './request.ts';
