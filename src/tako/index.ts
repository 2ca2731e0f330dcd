/** Keep single-file images up to date from a plain web server: see docs/index.md. */
export type { Outcome, Result, RunPorts } from './advance.ts';
export { type CheckedServer, checkServer, type Finding } from './check-server.ts';
export { type Config, parseConfig } from './config.ts';
export { configDirectory, listConfigs, loadConfig } from './config-file.ts';
export { hold, type RolledBack, release, rollBack } from './control.ts';
export { type FetchOptions, fetchImage } from './fetch.ts';
export { type Answer, fetchAll } from './fetch-all.ts';
export { type Collected, collect } from './gc.ts';
export {
  formatPublicKey,
  formatSecretKey,
  generateSecretKey,
  type PublicKey,
  parsePublicKey,
  parseSecretKey,
  SECRET_KEY_CHARACTERS,
  type SecretKey,
} from './key.ts';
export { MANIFEST_LIMIT, type ManifestEntry } from './manifest.ts';
export { openOrigin } from './origin.ts';
export { type Published, publishImage } from './publish.ts';
export { type Rotated, rotateKey } from './rotate.ts';
export type { HistoryEntry, Mark, Owed, State } from './state.ts';
export { healthOf, type Listed, listVersions, readStatus, type Status } from './status.ts';
export { type Condition, type Verified, verifyStore } from './verify.ts';
export { type Withdrawn, withdrawImage } from './withdraw.ts';
