/**
 * An image into the store: its layers, each with a ref, the commit of the whole, and last of all the ref of the image
 * (spec ostree-container 2.7). A run that was ended anywhere is gone on with by the next one.
 */
import { codeOf } from '../../../base/error.ts';
import { formatImageName, type ImageSource } from '../../../images/index.ts';
import {
  afterRefsChanged,
  type Checksum,
  HEAD,
  objectsOf,
  type Repository,
  type Root,
  type Verifier,
  withTransaction,
} from '../../../ostree/index.ts';
import { verifierOfTrust } from '../../encapsulated/index.ts';
import { Fetching } from '../../fetching/index.ts';
import { pruneLayers } from '../manage/prune-layers.ts';
import { imageRef, sumOf, writeMergeCommit } from '../records/index.ts';
import { pullBase } from './base-layers.ts';
import { type DerivedTree, pullDerived } from './derived-layers.ts';
import type { PlannedLayer, StorePrepareOptions, StorePull, StorePullOptions } from './options.ts';
import { type Prepared, prepareImage, storedBase } from './prepare.ts';
import { storedHead, verifyBase } from './verify-base.ts';

/** What a pull would fetch. Nothing is stored but what an older image learns of the newer one. */
export interface StorePlan extends Pick<Prepared, 'manifest' | 'isStored'> {
  readonly layers: readonly PlannedLayer[];
  /** Of the layers that are not here. */
  readonly bytes: number;
}

/** @throws as `pullIntoStore`, for all that can be told before a layer is read */
export async function checkStore(repository: Repository, options: StorePrepareOptions): Promise<StorePlan> {
  return withSource(options, async (source) => {
    const { manifest, isStored, planned } = await prepareImage(repository, source, options);
    const missing = isStored ? [] : planned.filter(({ isThere }) => !isThere);
    return { manifest, isStored, layers: planned, bytes: missing.reduce((sum, { size }) => sum + size, 0) };
  });
}

/**
 * @throws StoreError LAYERS_UNSIGNED, NOT_BOOTABLE; LabelError; StreamError; LayerError;
 *   OciError INVALID_DIGEST, INVALID_SIZE, LAYER_UNSUPPORTED ...; OstreeError REMOTE_UNKNOWN, SIGNATURE_*, OBJECT_*;
 *   ImagesError; RegistryError; TarError; CodedError LOCK_TIMEOUT
 */
export async function pullIntoStore(repository: Repository, options: StorePullOptions): Promise<StorePull> {
  const verifier = await verifierOfTrust(repository, options.reference.trust);
  return withSource(options, async (source) => {
    // Nobody deletes objects of finished layers, or drops their refs, while others are on their way.
    const held = repository.config.locking ? await repository.lock.acquire('shared', options) : undefined;
    let pulled: Pulled;
    try {
      const prepared = await prepareImage(repository, source, options);
      pulled = prepared.isStored
        ? await unchanged(repository, prepared, verifier)
        : await fetchImage(repository, prepared, verifier, options);
    } finally {
      held?.release();
    }
    if (pulled.isNew) await afterRefsChanged(repository, options);
    return { ...pulled, droppedLayers: await collectGarbage(repository, pulled, options) };
  });
}

type Pulled = Omit<StorePull, 'droppedLayers'>;

async function withSource<T>(
  { images, reference, signal }: StorePrepareOptions,
  work: (source: ImageSource) => Promise<T>,
) {
  const source = await images.source(reference.image, signal);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

/** Nothing to fetch; but signatures are looked at each time, for an earlier pull may not have asked for any. */
async function unchanged(
  repository: Repository,
  { stored, manifest, layers, planned }: Prepared,
  verifier: Verifier | undefined,
): Promise<Pulled> {
  if (stored === undefined) throw new Error('unreachable: an image that is stored');
  const { commit, filtered } = stored;
  const baseCommit = storedBase(repository, layers);
  const signatures =
    baseCommit === undefined ? [] : await verifyBase(storedHead(repository, baseCommit), layers, verifier);
  const facts = { commit, baseCommit, manifestDigest: manifest.digest, layers: planned, signatures, filtered };
  return { isNew: false, fetchedLayers: 0, fetchedBytes: 0, skippedFiles: [], ...facts };
}

async function fetchImage(
  repository: Repository,
  prepared: Prepared,
  verifier: Verifier | undefined,
  options: StorePullOptions,
): Promise<Pulled> {
  const { source, layers, planned, manifest } = prepared;
  const task = `pull ${formatImageName(source.name)}`;
  const fetching = new Fetching({ source, task, onProgress: options.onProgress });
  fetching.begin(
    planned.filter(({ isThere }) => !isThere),
    planned.length,
  );
  let ok = false;
  try {
    const { base } = layers;
    const pulled = base && (await pullBase(repository, { ...layers, base }, verifier, fetching, options));
    const root = pulled && rootOf(repository, pulled.commit);
    const derived = await pullDerived(repository, layers, root, fetching, options);
    const commit = await writeImage(repository, prepared, derived, options);
    ok = true;
    return {
      isNew: true,
      commit,
      baseCommit: pulled?.commit,
      manifestDigest: manifest.digest,
      layers: planned,
      fetchedLayers: fetching.layers,
      fetchedBytes: fetching.bytes,
      signatures: pulled?.signatures ?? [],
      filtered: sumOf(derived.filtered.values()),
      skippedFiles: derived.skipped,
    };
  } finally {
    fetching.end(ok);
  }
}

/** Nothing else of the commit. */
function rootOf(repository: Repository, commit: Checksum): Root {
  const { rootTree, rootMeta } = objectsOf(repository).commit(commit);
  return { rootTree, rootMeta };
}

/** The commit of the whole, and the ref by which everybody finds it. */
function writeImage(
  repository: Repository,
  { manifest, image, config, configBytes }: Prepared,
  derived: DerivedTree,
  options: StorePullOptions,
): Promise<Checksum> {
  const created = image.annotations['org.opencontainers.image.created'];
  const time = secondsOf(created) ?? secondsOf(config.created) ?? Math.floor(options.now / 1000);
  return withTransaction(repository, options, async (transaction) => {
    const commit = writeMergeCommit(transaction, derived.write(transaction), {
      manifest,
      config: configBytes,
      importer: options.importer,
      filtered: derived.filtered,
      timestamp: time,
    });
    if (options.setImageRef) transaction.setRef({ place: HEAD, ref: imageRef(options.reference.image), commit });
    return commit;
  });
}

/** Of an RFC 3339 time; what is none, or before 1970, is as good as none at all. */
function secondsOf(text: string | undefined): number | undefined {
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) || time < 0 ? undefined : Math.floor(time / 1000);
}

/** Layers that the image does not have any more; also those of a run that was ended before it came to this. While others are at work nothing is done: they do it when they end. */
async function collectGarbage(
  repository: Repository,
  { layers }: Pulled,
  options: StorePullOptions,
): Promise<number | undefined> {
  if (options.skipGc) return undefined;
  try {
    const keep = options.setImageRef ? [] : layers.map(({ digest }) => digest);
    const { dropped } = await pruneLayers(repository, { ...options, timeoutMs: 0, onWait: undefined, keep });
    return dropped.length;
  } catch (error) {
    if (codeOf(error) !== 'LOCK_TIMEOUT') throw error;
    return undefined;
  }
}
