/**
 * Work that is loaded when it is called: each of these stands on ten to ninety files, and a command needs one of them.
 * Here, not with every caller, so that the door stays the only way in.
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
type CommitSignatures = typeof import('./signatures/commit-signatures.ts');
type Inspect = typeof import('./signatures/inspect.ts');
type Policy = typeof import('./signatures/remote-policy.ts');
type Sign = typeof import('./signatures/sign.ts');
type Update = typeof import('./summary/update-summary.ts');

export const checkout: Checkout['checkout'] = async (...words) =>
  (await import('./checkout/checkout.ts')).checkout(...words);

export const planCheckout = async (
  ...words: Parameters<Checkout['planCheckout']>
): Promise<ReturnType<Checkout['planCheckout']>> => (await import('./checkout/checkout.ts')).planCheckout(...words);

export const addDirectory: AddDirectory['addDirectory'] = async (...words) =>
  (await import('./commit/add-directory.ts')).addDirectory(...words);

export const addTar: AddTar['addTar'] = async (...words) => (await import('./commit/add-tar.ts')).addTar(...words);

export const commitTrees: Commits['commitTrees'] = async (...words) =>
  (await import('./commit/commit.ts')).commitTrees(...words);

export const generateDelta: Generate['generateDelta'] = async (...words) =>
  (await import('./delta/generate/generate.ts')).generateDelta(...words);

export const applyOffline: Offline['applyOffline'] = async (...words) =>
  (await import('./delta/offline.ts')).applyOffline(...words);

export const showDelta: Show['showDelta'] = async (...words) => (await import('./delta/show.ts')).showDelta(...words);

export const fsck: Fsck['fsck'] = async (...words) => (await import('./maintenance/fsck.ts')).fsck(...words);

export const prune: Prune['prune'] = async (...words) => (await import('./maintenance/prune.ts')).prune(...words);

export const planFromRemote: FromRemote['planFromRemote'] = async (...words) =>
  (await import('./pull/from-remote.ts')).planFromRemote(...words);

export const pullFromRemote: FromRemote['pullFromRemote'] = async (...words) =>
  (await import('./pull/from-remote.ts')).pullFromRemote(...words);

export const remoteSummary: FromRemote['remoteSummary'] = async (...words) =>
  (await import('./pull/from-remote.ts')).remoteSummary(...words);

export const verifySummary: FromRemote['verifySummary'] = async (...words) =>
  (await import('./pull/from-remote.ts')).verifySummary(...words);

export const pullLocal: Local['pullLocal'] = async (...words) => (await import('./pull/local.ts')).pullLocal(...words);

export const verifyCommit: CommitSignatures['verifyCommit'] = async (...words) =>
  (await import('./signatures/commit-signatures.ts')).verifyCommit(...words);

export const removeRawSignatures: CommitSignatures['removeRawSignatures'] = async (...words) =>
  (await import('./signatures/commit-signatures.ts')).removeRawSignatures(...words);

export const removeGpgSignatures: CommitSignatures['removeGpgSignatures'] = async (...words) =>
  (await import('./signatures/commit-signatures.ts')).removeGpgSignatures(...words);

export const inspectSignatures: Inspect['inspectSignatures'] = async (...words) =>
  (await import('./signatures/inspect.ts')).inspectSignatures(...words);

export const remotePolicy: Policy['remotePolicy'] = async (...words) =>
  (await import('./signatures/remote-policy.ts')).remotePolicy(...words);

export const explicitPolicy: Policy['explicitPolicy'] = async (...words) =>
  (await import('./signatures/remote-policy.ts')).explicitPolicy(...words);

export const addSignatures: Sign['addSignatures'] = async (...words) =>
  (await import('./signatures/sign.ts')).addSignatures(...words);

export const signCommit: Sign['signCommit'] = async (...words) =>
  (await import('./signatures/sign.ts')).signCommit(...words);

export const signStagedCommit: Sign['signStagedCommit'] = async (...words) =>
  (await import('./signatures/sign.ts')).signStagedCommit(...words);

export const updateSummary: Update['updateSummary'] = async (...words) =>
  (await import('./summary/update-summary.ts')).updateSummary(...words);

export const afterRefsChanged: Update['afterRefsChanged'] = async (...words) =>
  (await import('./summary/update-summary.ts')).afterRefsChanged(...words);
