/**
 * An image that lies unpacked in another repository of this format (`ostree:NAME@/REPOSITORY`): its branches are
 * copied. Nobody can hold unpacked layers against the digests that a signature speaks of, so signatures count for nothing.
 */
import { posix } from 'node:path';
import { admitImage, type FoundPolicy, type ImageSource, type Policy } from '../../images/index.ts';
import { parseNamed, rawManifest, repositoryName } from '../../oci/index.ts';
import {
  HEAD,
  openRepository,
  PULL_DEFAULTS,
  pullLocal,
  type Repository,
  withTransaction,
} from '../../ostree/index.ts';
import { ContainerError } from '../error.ts';
import {
  blobBranch,
  blobCommit,
  findStoredAs,
  imageOf,
  layerFacts,
  type StoredImage,
  writeImageBranch,
} from '../storage/index.ts';
import { isWeaker, type Verification } from '../verification.ts';
import { assertNotWeaker } from './admission.ts';
import { type PulledImage, type PullPlan, type PullRequest, secondsOf } from './request.ts';

export interface InRepository {
  readonly path: string;
  /** In full. */
  readonly name: string;
}

/** @throws ContainerError IMAGE_NOT_STORED, BAD_STORED_IMAGE, VERIFICATION_WEAKER; ImagesError POLICY_REJECTED */
export async function planFromRepository(
  into: Repository | undefined,
  source: InRepository,
  storedName: string,
  request: PullRequest,
): Promise<PullPlan> {
  const from = openRepository(source.path);
  try {
    const image = imageOf(from, source.name);
    const verification = await judge(source, image, request);
    const layers = [...new Set(image.layers)].map((digest) => {
      const size = layerFacts(from, digest)?.size ?? 0;
      return { digest, size, isThere: into !== undefined && layerFacts(into, digest) !== undefined };
    });
    const bytes = layers.reduce((sum, { size, isThere }) => sum + (isThere ? 0 : size), 0);
    const isStored = into !== undefined && findStoredAs(into, storedName)?.digest === image.digest && bytes === 0;
    return { storedName, digest: image.digest, isStored, layers, bytes, verification };
  } finally {
    from.close();
  }
}

/** @throws as `planFromRepository`; OstreeError OBJECT_CORRUPT ... */
export async function copyFromRepository(
  into: Repository,
  source: InRepository,
  storedName: string,
  request: PullRequest,
): Promise<PulledImage> {
  const from = openRepository(source.path);
  try {
    const image = imageOf(from, source.name);
    const verification = await judge(source, image, request);
    const missing = [...new Set(image.layers)].filter((digest) => layerFacts(into, digest) === undefined);
    const stored = findStoredAs(into, storedName);
    if (
      missing.length === 0 &&
      stored?.digest === image.digest &&
      !isWeaker(stored.verification ?? NONE, verification)
    ) {
      const nothing = { isNew: false, fetchedLayers: 0, fetchedBytes: 0, skippedFiles: [] };
      return { ...nothing, image: stored, verification: stored.verification ?? verification };
    }
    const bytes = await copyBranches(from, into, image, missing, request);
    await withTransaction(into, request, async (transaction) => {
      const manifest = { bytes: image.raw, digest: image.digest };
      const named = { name: storedName, manifest, signatures: [], verification };
      writeImageBranch(transaction, named, secondsOf(request));
    });
    const facts = { fetchedLayers: missing.length, fetchedBytes: bytes, skippedFiles: [] };
    return { isNew: true, image: imageOf(into, storedName), verification, ...facts };
  } finally {
    from.close();
  }
}

const NONE: Verification = { level: 'none', scope: undefined, keys: [] };

/** Everything is hashed on the way. @returns bytes of what the other repository did not have */
async function copyBranches(
  from: Repository,
  into: Repository,
  image: StoredImage,
  missing: StoredImage['layers'],
  { signal, onWait, timeoutMs, progress }: PullRequest,
): Promise<number> {
  const digests = [...missing, ...(image.config === undefined ? [] : [image.config])];
  const branches = digests.flatMap((digest) => {
    const commit = blobCommit(from, digest);
    if (commit !== undefined) return [{ ref: blobBranch(digest), commit }];
    if (digest === image.config) return []; // the earlier tools pruned them away
    throw new ContainerError('BAD_STORED_IMAGE', `image ${image.name}: layer ${digest} is not in ${from.path}`, {
      subject: image.name,
    });
  });
  if (branches.length === 0) return 0;
  const asked = branches.map(({ commit }) => ({ ref: undefined, commit }));
  const options = { ...PULL_DEFAULTS, asked, bindings: false, remote: undefined, untrusted: true };
  const { bytes } = await pullLocal(from, into, options, { signal, onWait, timeoutMs, progress });
  await withTransaction(into, { signal, onWait, timeoutMs }, async (transaction) => {
    for (const { ref, commit } of branches) transaction.setRef({ place: HEAD, ref, commit });
  });
  return bytes;
}

/** @throws ImagesError POLICY_REJECTED, SIGNATURE_MISSING; ContainerError VERIFICATION_WEAKER */
async function judge(source: InRepository, image: StoredImage, request: PullRequest): Promise<Verification> {
  const { policy, requireSignature, floor, signal } = request;
  const verification: Verification = { level: 'transport', scope: undefined, keys: [] };
  assertNotWeaker(`ostree:${source.name}@${source.path}`, verification, floor);
  const found = policy && requirementsFor(policy, source);
  const raw = rawManifest(image.raw, undefined, undefined);
  const context = { now: new Date(request.now ?? Date.now()), requireSignature };
  await admitImage(found?.policy, asSource(source, raw), raw, context, signal);
  return { ...verification, scope: found?.scope };
}

/** What a policy says of `ostree:REPOSITORY:NAME`, as the only thing that it says. */
function requirementsFor({ policy }: FoundPolicy, source: InRepository): { policy: Policy; scope: string } {
  const scopes = policy.transports.get('ostree') ?? new Map<string, Policy['default']>();
  for (const scope of [...scopesOf(source), '']) {
    const requirements = scopes.get(scope);
    if (requirements !== undefined) {
      const shown = `ostree:${scope === '' ? '""' : scope}`;
      return { policy: { default: requirements, transports: new Map() }, scope: shown };
    }
  }
  return { policy: { default: policy.default, transports: new Map() }, scope: 'default' };
}

/** The image, its repository, the namespaces above; the narrowest first. */
function scopesOf({ path, name }: InRepository): readonly string[] {
  const named = repositoryName(parseNamed(name));
  const above: string[] = [];
  for (let at = named; at !== '.'; at = posix.dirname(at)) above.push(`${path}:${at}`);
  return [`${path}:${name}`, ...above, path];
}

/** As far as a policy looks at it. */
function asSource({ path }: InRepository, raw: ReturnType<typeof rawManifest>): ImageSource {
  const nothing = () => {
    throw new Error('unreachable: layers of a repository are copied as branches');
  };
  return {
    name: { transport: 'dir', location: path, selector: undefined, isBare: false },
    layers: 'exact',
    identity: undefined,
    readManifest: async () => raw,
    readBlob: nothing,
    simpleSignatures: async () => [],
    sibling: async () => undefined,
    referrers: async () => [],
    close: async () => undefined,
  };
}
