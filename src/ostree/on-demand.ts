/**
 * Work that is loaded when it is called: each of these stands on ten to ninety files, and a command needs one of them.
 * Here, not with every caller, so that the door stays the only way in. What each takes and throws is told in full at
 * its own place.
 */
type Checkout = typeof import('./checkout/checkout.ts');
type AddDirectory = typeof import('./commit/add-directory.ts');
type AddTar = typeof import('./commit/add-tar.ts');
type Commits = typeof import('./commit/commit.ts');
type Generate = typeof import('./delta/generate/generate.ts');
type Offline = typeof import('./delta/offline.ts');
type Show = typeof import('./delta/show.ts');
type Fsck = typeof import('./maintenance/fsck.ts');
type Prune = typeof import('./maintenance/prune.ts');
type FromRemote = typeof import('./pull/from-remote.ts');
type Local = typeof import('./pull/local.ts');
type PlanLocal = typeof import('./pull/plan-local.ts');
type CommitSignatures = typeof import('./signatures/commit-signatures.ts');
type Inspect = typeof import('./signatures/inspect.ts');
type Policy = typeof import('./signatures/remote-policy.ts');
type Sign = typeof import('./signatures/sign.ts');
type Update = typeof import('./summary/update-summary.ts');

/**
 * Put a commit on the disk.
 * @throws OstreeError TARGET_EXISTS, HARDLINKS_IMPOSSIBLE, OBJECT_MISSING, PATH_MISSING, TOO_LARGE
 */
export const checkout: Checkout['checkout'] = async (...words) =>
  (await import('./checkout/checkout.ts')).checkout(...words);

/** What `checkout` would make; changes nothing. */
export const planCheckout = async (
  ...words: Parameters<Checkout['planCheckout']>
): Promise<ReturnType<Checkout['planCheckout']>> => (await import('./checkout/checkout.ts')).planCheckout(...words);

/** A directory of this machine onto a tree. @throws OstreeError FILE_TYPE, FILE_NAME, FILE_CHANGED, TARGET_EXISTS */
export const addDirectory: AddDirectory['addDirectory'] = async (...words) =>
  (await import('./commit/add-directory.ts')).addDirectory(...words);

/**
 * The entries of an archive, compressed or not, onto a tree.
 * @throws TarError, CompressionError; OstreeError FILE_TYPE
 */
export const addTar: AddTar['addTar'] = async (...words) => (await import('./commit/add-tar.ts')).addTar(...words);

/**
 * Trees in, a commit and a ref out, all or nothing.
 * @throws OstreeError REF_NAME, REF_MISSING, COMMIT_PARTIAL; what sources and signers throw
 */
export const commitTrees: Commits['commitTrees'] = async (...words) =>
  (await import('./commit/commit.ts')).commitTrees(...words);

/**
 * Make a static delta.
 * @throws OstreeError OBJECT_MISSING, OBJECT_CORRUPT, COMMIT_PARTIAL, DELTA_UNSUITABLE; CompressionError NO_XZ
 */
export const generateDelta: Generate['generateDelta'] = async (...words) =>
  (await import('./delta/generate/generate.ts')).generateDelta(...words);

/**
 * Make the commit of a delta in a file; no ref is set.
 * @throws OstreeError DELTA_*, OBJECT_MISSING, OBJECT_CORRUPT, SIGNATURE_*
 */
export const applyOffline: Offline['applyOffline'] = async (...words) =>
  (await import('./delta/offline.ts')).applyOffline(...words);

/** What is in a delta; nothing is verified. @throws OstreeError DELTA_MALFORMED, DELTA_MISSING */
export const showDelta: Show['showDelta'] = async (...words) => (await import('./delta/show.ts')).showDelta(...words);

/**
 * Read everything back. Damage is a result, not an error.
 * @throws OstreeError REPOSITORY_READ_ONLY; CodedError LOCK_TIMEOUT
 */
export const fsck: Fsck['fsck'] = async (...words) => (await import('./maintenance/fsck.ts')).fsck(...words);

/** Delete what nothing leads to. @throws OstreeError OBJECT_MISSING, REF_EXISTS; CodedError LOCK_TIMEOUT */
export const prune: Prune['prune'] = async (...words) => (await import('./maintenance/prune.ts')).prune(...words);

/** What a pull would fetch: commits are verified, nothing is stored. @throws as `pullFromRemote` */
export const planFromRemote: FromRemote['planFromRemote'] = async (...words) =>
  (await import('./pull/from-remote.ts')).planFromRemote(...words);

/**
 * Pull as a remote is configured.
 * @throws OstreeError REMOTE_*, REF_MISSING, SIGNATURE_*, BINDING_MISMATCH, OLDER_COMMIT, OBJECT_*; HttpError
 */
export const pullFromRemote: FromRemote['pullFromRemote'] = async (...words) =>
  (await import('./pull/from-remote.ts')).pullFromRemote(...words);

/**
 * The summary of a remote, verified as its configuration asks.
 * @throws OstreeError SUMMARY_MALFORMED, SIGNATURE_*; HttpError
 */
export const remoteSummary: FromRemote['remoteSummary'] = async (...words) =>
  (await import('./pull/from-remote.ts')).remoteSummary(...words);

/** The summary of a repository on this machine. @throws OstreeError SIGNATURE_MISSING, SIGNATURE_INVALID */
export const verifySummary: FromRemote['verifySummary'] = async (...words) =>
  (await import('./pull/from-remote.ts')).verifySummary(...words);

/**
 * Pull from a repository on this machine; nothing asked for: all its heads.
 * @throws OstreeError REF_MISSING, OBJECT_MISSING, OBJECT_CORRUPT
 */
export const pullLocal: Local['pullLocal'] = async (...words) => (await import('./pull/local.ts')).pullLocal(...words);

/** What `pullLocal` would copy: commits are verified, nothing is stored. @throws as `pullLocal` */
export const planLocal: PlanLocal['planLocal'] = async (...words) =>
  (await import('./pull/plan-local.ts')).planLocal(...words);

/** Is a commit signed as this policy asks? @throws OstreeError SIGNATURE_MISSING, SIGNATURE_INVALID */
export const verifyCommit: CommitSignatures['verifyCommit'] = async (...words) =>
  (await import('./signatures/commit-signatures.ts')).verifyCommit(...words);

/** Take away what these public keys made; others stay. @returns how many went */
export const removeRawSignatures: CommitSignatures['removeRawSignatures'] = async (...words) =>
  (await import('./signatures/commit-signatures.ts')).removeRawSignatures(...words);

/** Take away what names these OpenPGP keys, good or bad. @returns how many went */
export const removeGpgSignatures: CommitSignatures['removeGpgSignatures'] = async (...words) =>
  (await import('./signatures/commit-signatures.ts')).removeGpgSignatures(...words);

/** Facts about signatures, without a rule. Bad ones are results. */
export const inspectSignatures: Inspect['inspectSignatures'] = async (...words) =>
  (await import('./signatures/inspect.ts')).inspectSignatures(...words);

/**
 * What the configuration of a remote asks of commits and summaries.
 * @throws OstreeError REMOTE_UNKNOWN, CONFIG_MALFORMED
 */
export const remotePolicy: Policy['remotePolicy'] = async (...words) =>
  (await import('./signatures/remote-policy.ts')).remotePolicy(...words);

/** What a command line asks of commits and summaries, whatever the settings of a remote are. */
export const explicitPolicy: Policy['explicitPolicy'] = async (...words) =>
  (await import('./signatures/remote-policy.ts')).explicitPolicy(...words);

/** The metadata with a signature of each signer over `data`; all other entries stay. */
export const addSignatures: Sign['addSignatures'] = async (...words) =>
  (await import('./signatures/sign.ts')).addSignatures(...words);

/**
 * Sign a commit of the repository, durably; nothing is made twice.
 * @throws OstreeError OBJECT_MISSING; what the signers throw
 */
export const signCommit: Sign['signCommit'] = async (...words) =>
  (await import('./signatures/sign.ts')).signCommit(...words);

/** Sign a commit that a transaction makes; the signatures appear with it. */
export const signStagedCommit: Sign['signStagedCommit'] = async (...words) =>
  (await import('./signatures/sign.ts')).signStagedCommit(...words);

/**
 * Write the summary, and sign it.
 * @throws OstreeError OBJECT_MISSING when a ref leads to no commit; CodedError LOCK_TIMEOUT
 */
export const updateSummary: Update['updateSummary'] = async (...words) =>
  (await import('./summary/update-summary.ts')).updateSummary(...words);

/** To be called when refs were changed: writes the summary where `core.auto-update-summary` wants it. */
export const afterRefsChanged: Update['afterRefsChanged'] = async (...words) =>
  (await import('./summary/update-summary.ts')).afterRefsChanged(...words);
