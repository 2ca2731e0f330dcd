/** System services as OCI containers under systemd: pulled into an OSTree store, installed, updated, rolled back. */

export {
  CONTRACT,
  type ContainerManifest,
  type Exports,
  type ImageLabels,
  labelsOf,
  readExports,
} from './contract/index.ts';
export {
  activeOf,
  assertNameFree,
  type Container,
  type Deployment,
  deployedImages,
  findContainer,
  type Info,
  listContainers,
  openContainer,
  rollbackTarget,
  type TagVersion,
} from './deployment/index.ts';
export { describeImage, type ImageDescription, sizeOf } from './description/index.ts';
export {
  type ContainerDifference,
  diffContainer,
  type HostFileDifference,
  type LayerDifference,
} from './difference/index.ts';
export { ContainerError, type ContainerErrorCode } from './error.ts';
export type { ActionLog, Host } from './host.ts';
export { type HostFile, type HostPlan, type HostStep, hostFilesOf } from './host-files/index.ts';
export type { ImageTree, TreeEntry } from './image-tree.ts';
export {
  type DeploymentPlan,
  type Installed,
  type InstallRequest,
  installContainer,
  type PortRequest,
  type PullPort,
  planInstallation,
} from './install/index.ts';
export { type Finding, type LintReport, lintImage, lintNamed, type Severity } from './lint/index.ts';
export { type ContainerState, type ListedContainer, listInstalled } from './listing/index.ts';
export { assertContainerName, defaultName } from './names/index.ts';
export { NO_SETTINGS, type Places, readSettings, resolvePlaces, type Settings, seenFromHost } from './places/index.ts';
export { PERMISSIONS, type Permission } from './preflight/index.ts';
export {
  type PlannedLayer,
  type PulledImage,
  type PullPlan,
  type PullRequest,
  planPull,
  pullImage,
  readReference,
  referenceByVersion,
} from './pull/index.ts';
export {
  type ContainerEvent,
  type EventKind,
  MESSAGE_ID,
  type RunResults,
  recordEvent,
  recordFailure,
  writeContainerMetrics,
} from './records/index.ts';
export { planRollback, type RollbackPlan, type RolledBack, rollBackContainer } from './rollback/index.ts';
export { COULD_NOT_START, type RunRequest, runCommand } from './running/index.ts';
export {
  type BrokenImage,
  type DeletedImage,
  deleteImage,
  type FileProblem,
  findImage,
  findStorage,
  type InUse,
  imageOf,
  imageOfDeployment,
  imageTree,
  isStored,
  layerFacts,
  listBlobs,
  listImages,
  mergedCommit,
  type ObjectProblem,
  openStorage,
  type PrunedImages,
  pruneImages,
  readStoredConfig,
  type StoredBlob,
  type StoredImage,
  tagImage,
  verifyDeployment,
  verifyImage,
} from './storage/index.ts';
export { readJournal } from './switch/index.ts';
export {
  type ExportedContainer,
  exportContainer,
  type ImportedContainer,
  type ImportPlan,
  importContainer,
  planImport,
} from './transfer/index.ts';
export {
  planRemoval,
  type Uninstalled,
  type UninstallPlan,
  type UninstallRequest,
  uninstallContainer,
} from './uninstall/index.ts';
export {
  planUpdate,
  pruneReplaced,
  type Updated,
  type UpdateOutcome,
  type UpdateRequest,
  updateAll,
  updateContainer,
} from './update/index.ts';
export { type AskedVariables, askedVariables, parseSettings } from './variables/index.ts';
export type { Verification } from './verification.ts';
