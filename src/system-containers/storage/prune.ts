/** Layers and configurations that nothing needs, and then the objects that no ref reaches (spec system-containers 7). */
import { type Digest, splitDigest } from '../../oci/index.ts';
import {
  afterRefsChanged,
  HEAD,
  objectsOf,
  type PruneResult,
  prune,
  type Repository,
  removeRef,
  type TransactionOptions,
  withTransaction,
} from '../../ostree/index.ts';
import type { ActionLog } from '../host.ts';
import { type BlobBranch, type Branches, holderRef, readBranches } from './branch.ts';
import { isStored, listImages } from './images.ts';
import { type DeployedImages, imagesInUse } from './in-use.ts';
import { lockAlone } from './lock-alone.ts';
import { KEYS, textOf } from './metadata.ts';
import type { StoredImage } from './stored-image.ts';

export interface PruneOptions extends TransactionOptions {
  /** Of all deployments, also of those that are not active. */
  readonly inUse: DeployedImages;
}

export interface PrunedImages {
  /** Hex digests of layers and configurations. */
  readonly kept: readonly string[];
  readonly deleted: readonly string[];
  /** Objects of the repository that went, and the bytes of their files; what deployments share stays in use. */
  readonly objects: number;
  readonly bytes: number;
}

/**
 * Needed is what belongs to an image with a name, or to one that a deployment comes from. An image that cannot be read
 * keeps everything, for nobody knows what it needs.
 * @throws CodedError LOCK_TIMEOUT; OstreeError OBJECT_MISSING ...
 */
export async function pruneImages(
  { log }: { readonly log: ActionLog },
  repository: Repository,
  options: PruneOptions,
): Promise<PrunedImages> {
  const held = await lockAlone(repository, options);
  try {
    const branches = readBranches(repository);
    const { images, broken } = readAll(repository);
    const used = imagesInUse(repository, options.inUse());
    for (const name of broken)
      log.warning(`image ${name} cannot be read: all layers are kept; delete it or pull it again`);
    const needed = new Set(
      [...images, ...used].flatMap(({ layers, config }) => [...layers, ...(config ? [config] : [])]),
    );
    const hexes = new Set([...needed].map((digest: Digest) => splitDigest(digest).hex));
    const doomed = broken.length > 0 ? [] : branches.blobs.filter(({ hex }) => !hexes.has(hex));
    report(log, repository, branches.blobs, doomed);
    if (options.dryRun !== true) await changeRefs(repository, { branches, doomed, images, used }, options);
    const pruned = await pruneObjects(repository, options);
    log.action(`${options.dryRun === true ? 'would prune' : 'pruned'} ${pruned.freedBytes} bytes`);
    const deleted = doomed.map(({ hex }) => hex);
    return {
      kept: branches.blobs.map(({ hex }) => hex).filter((hex) => !deleted.includes(hex)),
      deleted,
      objects: pruned.deleted,
      bytes: pruned.freedBytes,
    };
  } finally {
    held?.release();
  }
}

function readAll(repository: Repository) {
  const all = listImages(repository);
  return { images: all.filter(isStored), broken: all.filter((each) => !isStored(each)).map(({ name }) => name) };
}

/** Layers by a line each, as ever; of configurations the earlier program did not know. */
function report(
  log: ActionLog,
  repository: Repository,
  blobs: readonly BlobBranch[],
  doomed: readonly BlobBranch[],
): void {
  const reader = objectsOf(repository);
  for (const blob of blobs) {
    const what = doomed.includes(blob) ? 'delete' : 'keep';
    const isLayer =
      !reader.has(blob.commit, 'commit') ||
      textOf(reader.commit(blob.commit).metadata, KEYS.uncompressedDigest) !== undefined;
    if (isLayer) log.action(`layer ${blob.hex}: ${what}`);
    else log.detail(`configuration ${blob.hex}: ${what}`);
  }
}

interface Change {
  readonly branches: Branches;
  readonly doomed: readonly BlobBranch[];
  readonly images: readonly StoredImage[];
  readonly used: readonly StoredImage[];
}

/** First what holds is written, then what does not count any more is removed. */
async function changeRefs(
  repository: Repository,
  { branches, doomed, images, used }: Change,
  options: TransactionOptions,
): Promise<void> {
  const held = new Set(branches.holders.map(({ imageCommit }) => imageCommit));
  const unheld = used.filter(({ commit }) => !held.has(commit));
  if (unheld.length > 0) {
    await withTransaction(repository, options, async (transaction) => {
      for (const { commit } of unheld) transaction.setRef({ place: HEAD, ref: holderRef(commit), commit });
    });
  }
  const needed = new Set([...images, ...used].map(({ commit }) => commit));
  const inUse = new Set(used.map(({ commit }) => commit));
  const stray = [
    ...branches.merged.filter(({ imageCommit }) => !needed.has(imageCommit)),
    ...branches.holders.filter(({ imageCommit }) => !inUse.has(imageCommit)),
  ];
  for (const { branch } of [...stray, ...doomed]) removeRef(repository, HEAD, branch);
  if (stray.length + doomed.length + unheld.length > 0) await afterRefsChanged(repository, options);
}

/** Refs may be those of the system, too, in a repository that is shared with it: their history stays. */
function pruneObjects(
  repository: Repository,
  { signal, timeoutMs, onWait, dryRun }: PruneOptions,
): Promise<PruneResult> {
  return prune(repository, { refsOnly: true, signal, timeoutMs, onWait, dryRun });
}
