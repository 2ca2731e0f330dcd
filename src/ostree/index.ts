/**
 * `tako/ostree`: OSTree repositories, natively: objects, refs, transactions, and what is done with them. Errors are
 * `CodedError`s: match on `code`. Described in docs/ostree-library.md.
 *
 * @example
 * import { checkout, CHECKOUT_DEFAULTS, openRepository, resolveRevision } from 'tako/ostree';
 * const repository = openRepository('/srv/repo');
 * const { signal } = new AbortController();
 * await checkout(repository, resolveRevision(repository, 'os/main'), '/srv/root', CHECKOUT_DEFAULTS, signal);
 * repository.close();
 */
export { CodedError, codeOf } from '../base/error.ts';
export type { Progress, ProgressEvent } from '../base/progress.ts';
export {
  formatVariant,
  lookup,
  openVariant,
  parseVariantText,
  string,
  type Vardict,
  type Variant,
  variantOf,
} from '../gvariant/index.ts';
export type { HttpSettings } from '../http/index.ts';
export type { CheckoutPlan } from './checkout/checkout.ts';
export { CHECKOUT_DEFAULTS, type CheckoutOptions, type CheckoutResult } from './checkout/options.ts';
export type { AddOptions } from './commit/add-directory.ts';
export type { AddTarOptions, TarSource } from './commit/add-tar.ts';
export type { TreeOptions, TreeSource } from './commit/build-tree.ts';
export type { CommitRequest, Committed } from './commit/commit.ts';
export { DirMetas } from './commit/dir-metas.ts';
export { FileQueue } from './commit/file-queue.ts';
export {
  type Attributes,
  type ModifierOptions,
  Modifiers,
  modifiersFor,
  PLAIN_DIRECTORY,
  type StatOverride,
} from './commit/modifiers.ts';
export { assertDepth, MutableTree, type OnConflict, type Root, type TreeEntry } from './commit/mutable-tree.ts';
export { pathnameFilter } from './commit/pathname-filter.ts';
export { parseSkipList, parseStatOverrides } from './commit/stat-overrides.ts';
export { storeContent } from './commit/store-content.ts';
export { type Statistics, Tally } from './commit/tally.ts';
export { attributesOf } from './commit/tar-attributes.ts';
export { type CommitOptions, writeCommit } from './commit/write-commit.ts';
export { openDelta, openDeltaPath } from './delta/delta-file.ts';
export { DEFAULT_BUDGET, type GenerateOptions } from './delta/generate/options.ts';
export type { DeltaStep, GeneratedDelta } from './delta/generate/result.ts';
export { type DeltaName, deltaName, parseDeltaName } from './delta/names.ts';
export type { OfflineResult } from './delta/offline.ts';
export type { DeltaFacts, PartFacts } from './delta/show.ts';
export {
  deleteDelta,
  deltaVerifier,
  hasDelta,
  listDeltaIndexes,
  listDeltas,
  noDelta,
  reindexDeltas,
  verifyDelta,
} from './delta/store.ts';
export { OstreeError, type OstreeErrorCode } from './error.ts';
export { commitFolder } from './history/commit-folder.ts';
export { type CommitSizes, neededOf, type ObjectSize, sizesOf, totalOf } from './history/commit-sizes.ts';
export { describeCommit, variantOfObject } from './history/commit-text.ts';
export { type CommonObjects, commonObjects } from './history/common-objects.ts';
export { type Difference, diffTrees, type Folder, type FolderEntry } from './history/diff-trees.ts';
export { type DiskFolderOptions, diskFolder } from './history/disk-folder.ts';
export { openContent } from './history/find-content.ts';
export { findEntry, type Subtree, type SubtreeFile } from './history/find-entry.ts';
export { type Depth, formatAttributes, type ListedEntry, listTree } from './history/list-tree.ts';
export { ancestry, Reach, reachTree } from './history/reach.ts';
export { openPool, type Pool, threadsBeside, threadsFor } from './jobs/pool.ts';
export type { FindingKind, FindingUser, FsckFinding } from './maintenance/finding.ts';
export type { FsckOptions, FsckResult } from './maintenance/fsck.ts';
export type { PruneOptions, PruneResult } from './maintenance/prune.ts';
export { type Checksum, isChecksum, sha256 } from './objects/checksum.ts';
export { type Commit, contentChecksum, decodeCommit, encodeCommit } from './objects/commit.ts';
export { decodeDetached, GPG_SIGNATURES, signaturesOf } from './objects/detached.ts';
export { type DirMeta, decodeDirMeta, encodeDirMeta } from './objects/dirmeta.ts';
export { type DirTree, decodeDirTree, encodeDirTree } from './objects/dirtree.ts';
export {
  decodeArchiveHeader,
  encodeArchiveHeader,
  encodeFileHeader,
  type FileHeader,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from './objects/file-header.ts';
export type { MetadataType, ObjectType } from './objects/object-type.ts';
export type { Xattr, Xattrs } from './objects/xattrs.ts';
export { decodeXattrs, encodeXattrs } from './objects/xattrs-object.ts';
export { formatXattrs } from './objects/xattrs-text.ts';
export {
  addDirectory,
  addSignatures,
  addTar,
  afterRefsChanged,
  applyOffline,
  checkout,
  commitTrees,
  explicitPolicy,
  fsck,
  generateDelta,
  inspectSignatures,
  planCheckout,
  planFromRemote,
  planLocal,
  prune,
  pullFromRemote,
  pullLocal,
  remotePolicy,
  remoteSummary,
  removeGpgSignatures,
  removeRawSignatures,
  showDelta,
  signCommit,
  signStagedCommit,
  updateSummary,
  verifyCommit,
  verifySummary,
} from './on-demand.ts';
export { isWhole, type ReceivedCommit, storeCommit } from './pull/commits.ts';
export type {
  FromRemote,
  PlannedCommit,
} from './pull/from-remote.ts';
export type { LocalOptions, LocalPorts } from './pull/local.ts';
export {
  DEFAULTS as PULL_DEFAULTS,
  type DeltaUse,
  type PulledCommit,
  type PullOptions,
  type PullResult,
  type RefMove,
} from './pull/options.ts';
export type { LocalPlan } from './pull/plan-local.ts';
export type { RemoteAccess } from './pull/remote-client.ts';
export type { RemoteSummary } from './pull/remote-summary.ts';
export { type Asked, parseAsked } from './pull/wanted.ts';
export { addCookie, type Cookie, deleteCookie, readCookies } from './remotes/cookies.ts';
export { importKeys, listKeys } from './remotes/keyring-file.ts';
export type { Remote } from './remotes/remote.ts';
export {
  addRemote,
  type ChangeOptions,
  deleteRemote,
  listRemotes,
  type NewRemote,
  readRemote,
} from './remotes/remotes.ts';
export { commitObjects, singleCommit } from './repository/commit-objects.ts';
export { parseMode, type RepositoryConfig, type RepositoryMode } from './repository/config.ts';
export { lockForReading } from './repository/lock.ts';
export { isPartial } from './repository/partial.ts';
export { formatRefspec, isRefName, parseRefspec, type Refspec } from './repository/ref-names.ts';
export {
  HEAD,
  listRefs,
  type Ref,
  type RefChange,
  type RefPlace,
  readRef,
  refspecOf,
} from './repository/refs.ts';
export { type CreateOptions, createRepository, openRepository, type Repository } from './repository/repository.ts';
export { resolveRevision, tryResolve } from './repository/resolve.ts';
export {
  type CollectionRef,
  deleteRefs,
  type SelectedRef,
  selectCollectionRefs,
  selectRefs,
} from './repository/select-refs.ts';
export { removeRef, writeAlias, writeRefs } from './repository/write-refs.ts';
export { givenKeys } from './signatures/given-keys.ts';
export type { InspectOptions } from './signatures/inspect.ts';
export { keyringVerifier } from './signatures/keyring-verifier.ts';
export { SignatureRefused } from './signatures/refusal.ts';
export type { SignaturePolicy } from './signatures/remote-policy.ts';
export { describeReport, type SignatureKind, type SignatureReport } from './signatures/report.ts';
export type { Signed, SignOptions } from './signatures/sign.ts';
export {
  type CommitSigner,
  ed25519Signer,
  gpgFileSigner,
  gpgSigner,
  parseSecretKey,
  parseSecretKeys,
} from './signatures/signers.ts';
export type { Verifier } from './signatures/verifier.ts';
export { ObjectReader, objectsOf } from './storage/object-reader.ts';
export { type FileSink, ObjectWriter, type Stored } from './storage/object-writer.ts';
export { type StoredFile, WHOLE_LIMIT } from './storage/stored-file.ts';
export { type Transaction, type TransactionOptions, withTransaction } from './storage/transaction.ts';
export { formatRaw } from './summary/raw-text.ts';
export { decodeSummary, SUMMARY_KEYS, SUMMARY_SIGNATURE, type Summary, type SummaryRef } from './summary/summary.ts';
export type {
  UpdatedSummary,
  UpdateSummaryOptions,
} from './summary/update-summary.ts';
export { readSummary } from './summary/write-summary.ts';
