/** OCI runtimes: their configuration, and what we ask of runc and crun. */
export { type ConfigChanges, changeConfig } from './config/changes.ts';
export {
  type BindSource,
  type ConfigMount,
  formatConfig,
  parseRuntimeConfig,
  type RuntimeConfig,
} from './config/config.ts';
export { type DefaultConfigOptions, defaultConfigFor } from './config/default-config.ts';
export { assertDeployable } from './config/deployable.ts';
export { type RootlessOptions, rootlessConfig } from './config/rootless.ts';
export { type IdRange, readSubordinateIds, type SubordinateIds } from './config/subordinate-ids.ts';
export type { RuntimeControl, RuntimeFeatures, StartOptions } from './control.ts';
export { ConfigError, RuntimeError, type RuntimeErrorCode } from './error.ts';
export { type FindRuntimeRequest, findRuntime } from './find-runtime.ts';
export { openRuntime } from './open-runtime.ts';
