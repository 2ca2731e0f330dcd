/** An image into the repository: layers, configuration, and last of all its name (spec system-containers 6). */
import type { ImageSource } from '../../images/index.ts';
import {
  afterRefsChanged,
  type Checksum,
  HEAD,
  type Repository,
  readRef,
  type Transaction,
  withTransaction,
} from '../../ostree/index.ts';
import { imageBranch, imageOf, type StoredImage, writeConfigBranch, writeImageBranch } from '../storage/index.ts';
import { isWeaker, type Verification } from '../verification.ts';
import { fetchLayers } from './fetch-layers.ts';
import { copyFromRepository, planFromRepository } from './from-repository.ts';
import { type PreparedImage, prepareImage } from './prepare.ts';
import { type PullReference, readReference, referenceByVersion } from './reference.ts';
import { type PulledImage, type PullPlan, type PullRequest, secondsOf } from './request.ts';

/**
 * What a pull would fetch; nothing is written.
 * @param repository undefined: there is none yet
 * @throws as `pullImage`, for all that can be told before a layer is read
 */
export async function planPull(repository: Repository | undefined, request: PullRequest): Promise<PullPlan> {
  const { source, storedName } = await referenceOf(request);
  if (source.kind === 'repository') return planFromRepository(repository, source, storedName, request);
  return withSource(source, request, async (from) => {
    const prepared = await prepareImage(repository, from, storedName, request);
    const { manifest, isStored, verification } = prepared;
    const layers = prepared.layers.map(({ descriptor: { digest, size }, isThere }) => ({ digest, size, isThere }));
    const bytes = layers.reduce((sum, { size, isThere }) => sum + (isThere ? 0 : size), 0);
    return { storedName, digest: manifest.digest, isStored, layers, bytes, verification };
  });
}

/**
 * An interrupted pull leaves at most layers that no image names, which the next one uses. The same image again changes
 * nothing, unless more vouches for it now than when it was stored.
 * @throws ImagesError; RegistryError; OciError INVALID_DIGEST, PLATFORM_MISSING ...; LayerError; TarError; OstreeError;
 *   ContainerError IMAGE_NAME_MISSING, VERIFICATION_WEAKER; CodedError NO_MATCHING_TAG, LOCK_TIMEOUT
 */
export async function pullImage(repository: Repository, request: PullRequest): Promise<PulledImage> {
  const { source, storedName } = await referenceOf(request);
  // Nobody drops finished layers while others are on their way.
  const held = repository.config.locking ? await repository.lock.acquire('shared', request) : undefined;
  const before = branchCommit(repository, storedName);
  let pulled: PulledImage;
  try {
    pulled =
      source.kind === 'repository'
        ? await copyFromRepository(repository, source, storedName, request)
        : await withSource(source, request, async (from) => {
            const prepared = await prepareImage(repository, from, storedName, request);
            const { stored, isStored } = prepared;
            if (isStored && stored !== undefined) return unchanged(repository, { ...prepared, stored }, request);
            return fetchImage(repository, prepared, request);
          });
  } finally {
    held?.release();
  }
  if (pulled.image.commit !== before) await afterRefsChanged(repository, request);
  return pulled;
}

/** Of a broken image, too. */
function branchCommit(repository: Repository, name: string): Checksum | undefined {
  return readRef(repository, HEAD, imageBranch(name));
}

async function referenceOf(request: PullRequest): Promise<PullReference> {
  const { tagVersion, images, signal, name } = request;
  const text =
    tagVersion === undefined
      ? request.reference
      : await referenceByVersion(request.reference, tagVersion, images, signal);
  return readReference(text, { name, signal });
}

async function withSource<T>(
  { name }: Extract<PullReference['source'], { readonly kind: 'image' }>,
  { images, signal }: PullRequest,
  work: (source: ImageSource) => Promise<T>,
): Promise<T> {
  const source = await images.source(name, signal);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

async function unchanged(
  repository: Repository,
  prepared: PreparedImage & { readonly stored: StoredImage },
  request: PullRequest,
): Promise<PulledImage> {
  const { stored, storedName, verification } = prepared;
  request.progress({ kind: 'note', text: `${storedName}: ${stored.digest} is stored already` });
  const nothing = { isNew: false, fetchedLayers: 0, fetchedBytes: 0, skippedFiles: [] };
  const known = stored.verification;
  if (known !== undefined && !isWeaker(known, verification)) return { ...nothing, image: stored, verification: known };
  const signatures = await prepared.source.simpleSignatures(stored.digest, request.signal);
  await withTransaction(repository, request, async (transaction) => {
    writeName(transaction, prepared, signatures, verification, request);
  });
  return { ...nothing, image: imageOf(repository, storedName), verification };
}

async function fetchImage(repository: Repository, prepared: PreparedImage, request: PullRequest): Promise<PulledImage> {
  const { storedName, source, manifest, configDigest, config, verification } = prepared;
  const { progress, signal } = request;
  const signatures = await source.simpleSignatures(manifest.digest, signal);
  const fetched = await fetchLayers(repository, prepared, request, (transaction) => {
    progress({ kind: 'note', text: `Copying config ${configDigest}` });
    writeConfigBranch(transaction, configDigest, config, secondsOf(request));
    progress({ kind: 'note', text: 'Writing manifest to image destination' });
    writeName(transaction, prepared, signatures, verification, request);
    progress({ kind: 'note', text: 'Storing signatures' });
  });
  return {
    isNew: true,
    image: imageOf(repository, storedName),
    verification,
    fetchedLayers: fetched.layers,
    fetchedBytes: fetched.bytes,
    skippedFiles: fetched.skippedFiles,
  };
}

function writeName(
  transaction: Transaction,
  { storedName, manifest }: PreparedImage,
  signatures: readonly Uint8Array[],
  verification: Verification,
  request: PullRequest,
): void {
  writeImageBranch(transaction, { name: storedName, manifest, signatures, verification }, secondsOf(request));
}
