/** Keep single-file images up to date from a plain web server: see docs/index.md. */

export { type Config, parseConfig } from './config/config.ts';
export { configDirectory, listConfigs, loadConfig } from './config/file.ts';
export { type Collected, collect } from './control/gc.ts';
export { hold, release } from './control/hold.ts';
export { type RolledBack, rollBack } from './control/rollback.ts';
export { healthOf, type Listed, listVersions, readStatus, type Status } from './control/status.ts';
export { type Condition, type Verified, verifyStore } from './control/verify.ts';
export type { HistoryEntry, Mark, Owed, State } from './destination/state.ts';
export {
  formatPublicKey,
  formatSecretKey,
  generateSecretKey,
  type PublicKey,
  parsePublicKey,
  parseSecretKey,
  SECRET_KEY_CHARACTERS,
  type SecretKey,
} from './manifest/key.ts';
export { MANIFEST_LIMIT, type ManifestEntry } from './manifest/manifest.ts';
export { type CheckedServer, checkServer, type Finding } from './publisher/check-server.ts';
export { type Published, publishImage } from './publisher/publish.ts';
export { type Rotated, rotateKey } from './publisher/rotate.ts';
export { type Withdrawn, withdrawImage } from './publisher/withdraw.ts';
export type { Outcome, Result, RunPorts } from './update/advance.ts';
export { type FetchOptions, fetchImage } from './update/fetch.ts';
export { type Answer, fetchAll } from './update/fetch-all.ts';
export { openOrigin } from './update/origin.ts';
