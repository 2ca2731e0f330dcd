/** What an update would change; nothing of the container is touched. */
import type { Digest } from '../../oci/index.ts';
import {
  commitFolder,
  diffTrees,
  type Difference as FileDifference,
  objectsOf,
  type Repository,
} from '../../ostree/index.ts';
import {
  activeOf,
  type Deployment,
  type DeploymentRequest,
  type Info,
  openContainer,
  openSource,
  render,
} from '../deployment/index.ts';
import type { Host } from '../host.ts';
import { type HostPlan, planHostFiles } from '../host-files/index.ts';
import { storedImage } from '../install/index.ts';
import { imageOfDeployment, layerFacts, mergedCommit, type StoredImage } from '../storage/index.ts';
import type { Values } from '../template/index.ts';
import { type ChangedFile, changedFiles } from './generated-files.ts';

export interface DifferenceRequest {
  readonly name: string;
  /** Another image than the one that the container was installed from. */
  readonly rebase?: string | undefined;
  /** Of `--set`. */
  readonly setValues: Values;
  /** Undefined: the one that the container runs under. */
  readonly runtimePath?: string | undefined;
}

export interface ContainerDifference {
  readonly image: { readonly before: string; readonly after: string };
  /** Of the user's, which has neither digest nor layers. */
  readonly rootfs: string | undefined;
  readonly digest: { readonly before: Digest | undefined; readonly after: Digest | undefined };
  /** Undefined when the image of the deployment is gone, or one of both is a directory: nobody knows its layers. */
  readonly layers: LayerDifference | undefined;
  /** In the root file system; undefined for the same reason. */
  readonly files: readonly FileDifference[] | undefined;
  readonly values: readonly ChangedValue[];
  readonly generated: readonly ChangedFile[];
  readonly hostFiles: HostFileDifference;
  readonly warnings: readonly string[];
}

export interface LayerDifference {
  readonly removed: readonly Digest[];
  readonly added: readonly { readonly digest: Digest; readonly size: number | undefined }[];
  readonly kept: number;
  /** Of the added ones, as they were fetched. */
  readonly addedBytes: number;
}

export interface ChangedValue {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

export interface HostFileDifference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** The administrator has changed them: they stay. */
  readonly keptModified: readonly string[];
  /** Not ours, and in the way: left alone. */
  readonly conflicts: readonly string[];
}

/**
 * @throws ContainerError CONTAINER_MISSING, CONTAINER_BROKEN, IMAGE_NOT_STORED, and whatever an update would be refused
 * for: MISSING_VARIABLES, BAD_TEMPLATE, WRITABLE_ROOT ...
 */
export async function diffContainer(
  host: Host,
  repository: Repository,
  request: DifferenceRequest,
): Promise<ContainerDifference> {
  const active = activeOf(openContainer(host.places, request.name));
  const next = nextOf(repository, active.info, request);
  const { rendered, tree } = await renderNext(host, repository, { active, next, request });
  const { values, exports, warnings } = rendered;
  const wanted = { places: host.places, tree, manifest: exports.manifest, values };
  const before = active.info.rootfs === undefined ? imageOfDeployment(repository, active.info) : undefined;
  const after = 'rootfs' in next.image ? undefined : next.image;
  return {
    image: { before: active.info.image, after: next.imageName },
    rootfs: 'rootfs' in next.image ? next.image.rootfs : undefined,
    digest: { before: before?.digest, after: after?.digest },
    layers: before && after && diffLayers(repository, before, after),
    files: before && after && (await diffFiles(host, repository, before, after)),
    values: diffValues(active.info.values, values),
    generated: changedFiles(active, rendered),
    hostFiles: hostFilesIn(await planHostFiles({ ...wanted, previous: active.info })),
    warnings,
  };
}

type Next = Pick<DeploymentRequest, 'image' | 'imageName' | 'tagVersion'>;

/** What an update would take. @throws ContainerError IMAGE_NOT_STORED */
function nextOf(repository: Repository, info: Info, { rebase }: DifferenceRequest): Next {
  const { rootfs, image: imageName, tagVersion } = info;
  if (rootfs !== undefined && rebase === undefined) return { image: { rootfs }, imageName };
  const wanted =
    rebase === undefined ? { reference: imageName, tagVersion } : { reference: rebase, tagVersion: undefined };
  return { image: storedImage(repository, wanted), imageName: wanted.reference, tagVersion: wanted.tagVersion };
}

/** As if it took the place of the active one: what differs by the number of the slot alone is no difference. */
async function renderNext(
  host: Host,
  repository: Repository,
  { active, next, request }: { readonly active: Deployment; readonly next: Next; readonly request: DifferenceRequest },
) {
  const { name, slot, info } = active;
  const deployment = {
    ...next,
    name,
    slot,
    setValues: request.setValues,
    previous: info,
    permissions: info.permissions,
    runtimePath: request.runtimePath ?? info.runtime,
  };
  const source = await openSource(host, repository, deployment);
  return { tree: source.tree, rendered: await render(host, source.tree, { ...deployment, ...source }) };
}

function diffLayers(repository: Repository, before: StoredImage, after: StoredImage): LayerDifference {
  const had = new Set(before.layers);
  const has = new Set(after.layers);
  const added = [...has]
    .filter((digest) => !had.has(digest))
    .map((digest) => ({ digest, size: layerFacts(repository, digest)?.size }));
  return {
    removed: [...had].filter((digest) => !has.has(digest)),
    added,
    kept: has.size - added.length,
    addedBytes: added.reduce((sum, { size }) => sum + (size ?? 0), 0),
  };
}

async function diffFiles(
  { signal, lockTimeoutMs }: Host,
  repository: Repository,
  before: StoredImage,
  after: StoredImage,
): Promise<readonly FileDifference[]> {
  if (before.commit === after.commit) return [];
  const reader = objectsOf(repository);
  const folders = [];
  for (const image of [before, after]) {
    const commit = await mergedCommit(repository, image, { signal, timeoutMs: lockTimeoutMs });
    folders.push(commitFolder(reader, reader.commit(commit).rootTree));
  }
  const [first, second] = folders;
  return first === undefined || second === undefined ? [] : diffTrees(first, second);
}

/** Made anew for every deployment, and told in another way. */
const TOLD: readonly string[] = ['IMAGE_ID', 'IMAGE_NAME'];

function diffValues(before: Values, after: Values): readonly ChangedValue[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names
    .filter((name) => !TOLD.includes(name) && before.get(name) !== after.get(name))
    .map((name) => ({ name, before: before.get(name), after: after.get(name) }));
}

function hostFilesIn({ steps, conflicts, kept }: HostPlan): HostFileDifference {
  const of = (...actions: readonly string[]): readonly string[] =>
    steps.filter(({ action }) => actions.includes(action)).map(({ path }) => path);
  return {
    added: of('create'),
    removed: of('delete'),
    changed: of('replace'),
    keptModified: kept,
    conflicts,
  };
}
