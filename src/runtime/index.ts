/** OCI runtimes: their configuration, and what we ask of runc and crun. */
export type { RuntimeControl, RuntimeFeatures } from './control.ts';
