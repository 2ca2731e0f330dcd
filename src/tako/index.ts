/** Keep single-file images up to date from a plain web server: see docs/index.md. */
export type { Outcome, Result, RunPorts } from './advance.ts';
export { type Config, parseConfig } from './config.ts';
export { configDirectory, listConfigs, loadConfig } from './config-file.ts';
export { type FetchOptions, fetchImage } from './fetch.ts';
export { type Answer, fetchAll } from './fetch-all.ts';
export { type Collected, collect } from './gc.ts';
export {
  formatPublicKey,
  formatSecretKey,
  generateSecretKey,
  parseSecretKey,
  SECRET_KEY_CHARACTERS,
  type SecretKey,
} from './key.ts';
export type { ManifestEntry } from './manifest.ts';
export { openOrigin } from './origin.ts';
export { type Published, publishImage } from './publish.ts';
