/** `update`: what is stored of the image now, or another image, or other values (spec system-containers 15). */
import { codeOf } from '../../base/error.ts';
import type { Repository } from '../../ostree/index.ts';
import {
  activeOf,
  type Container,
  type Deployment,
  type DeploymentRequest,
  freeSlot,
  type Info,
  openContainer,
  type TagVersion,
  writeInfo,
} from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import {
  type DeploymentPlan,
  findWanted,
  type PullPort,
  planDeployment,
  storedImage,
  type WantedImage,
  withPrepared,
} from '../install/index.ts';
import type { StoredImage } from '../storage/index.ts';
import { assertChangeable, readJournal, type Switched, switchDeployment, withContainer } from '../switch/index.ts';
import { isWeaker } from '../verification.ts';

export interface UpdateRequest {
  readonly name: string;
  /** Another image, as the user wrote it. */
  readonly rebase?: string | undefined;
  /** Of `--tag-version`: a bound for the tags of the image, in place of the one that is known. */
  readonly tagVersion?: TagVersion | undefined;
  readonly setValues: ReadonlyMap<string, string>;
  readonly permissions: readonly string[];
  /** Undefined: the one that the container was installed with. */
  readonly runtimePath?: string | undefined;
  /** For containers whose runtime nobody knows. @throws CodedError RUNTIME_MISSING */
  defaultRuntime(): string;
  /** Fetch the image first; else only one to rebase to that is not stored. */
  readonly pullFirst: boolean;
  readonly pull?: PullPort | undefined;
  /** How long the service has to stay active to count as started. */
  readonly graceMs: number;
  /** Nobody has asked for this very container: an image that was taken back before is left alone. */
  readonly isUnasked?: boolean | undefined;
}

export interface Updated {
  /** `skipped`: there is another image, and it was taken back before. */
  readonly outcome: 'updated' | 'unchanged' | 'skipped';
  readonly from: Deployment;
  /** The same as `from` when nothing changed. */
  readonly to: Deployment;
  readonly started: boolean;
  /** Host files that the administrator has changed, and that stay as they are. */
  readonly keptFiles: readonly string[];
  /** Deployments that are no more. */
  readonly removed: readonly Deployment[];
}

/**
 * All or nothing: a version that does not start is taken back.
 * @param repository undefined will do for a container on a root file system of the user's
 * @throws ContainerError CONTAINER_MISSING, CONTAINER_BROKEN, IMAGE_NOT_STORED, VERIFICATION_WEAKER; as `prepare` and
 * `switchDeployment`
 */
export async function updateContainer(
  host: Host,
  repository: Repository | undefined,
  request: UpdateRequest,
): Promise<Updated> {
  const { name } = request;
  assertChangeable(host, name);
  if (readJournal(host.places, name) !== undefined) await withContainer(host, name, async () => undefined);
  await pullIfNeeded(repository, activeOf(openContainer(host.places, name)).info, request);
  return withContainer(host, name, async (lock) => {
    const decision = decide(host, repository, request);
    const { container, from, deployment } = decision;
    if (deployment === undefined) return unchanged(host, decision, request);
    if (request.isUnasked === true && isSkipped(from.info, deployment)) return skipped(host, from);
    return withPrepared(host, repository, deployment, async (prepared) => {
      const { slot } = deployment;
      const operation = 'update';
      const { graceMs } = request;
      const change = { operation, name, from, to: prepared, slot, graceMs } as const;
      const switched = await noting(from, deployment, () => switchDeployment(host, lock, change));
      return updated(container, from, switched);
    });
  });
}

/** The same without doing it; undefined: the latest version is deployed already. `skipped`: see `Updated`. */
export async function planUpdate(
  host: Host,
  repository: Repository | undefined,
  request: UpdateRequest,
): Promise<DeploymentPlan | 'skipped' | undefined> {
  assertChangeable(host, request.name);
  const { from, deployment } = decide(host, repository, request);
  if (deployment !== undefined && request.isUnasked === true && isSkipped(from.info, deployment)) return 'skipped';
  return deployment && planDeployment(host, repository, deployment);
}

interface Decision {
  readonly container: Container;
  readonly from: Deployment;
  /** What is to be deployed; undefined: nothing new. */
  readonly deployment: DeploymentRequest | undefined;
  readonly wanted: WantedImage;
}

function decide(host: Host, repository: Repository | undefined, request: UpdateRequest): Decision {
  const container = openContainer(host.places, request.name);
  const from = activeOf(container);
  const wanted = wantedImage(from.info, request);
  const image = imageFor(repository, from.info, wanted, request);
  if ('digest' in image) assertNotWeaker(from.info, image);
  const isSameRuntime = (request.runtimePath ?? from.info.runtime) === from.info.runtime;
  const isLatest = isSameRuntime && isSameImage(from.info, image) && isSameValues(from.info, request.setValues);
  if (isLatest) return { container, from, deployment: undefined, wanted };
  const { setValues, permissions } = request;
  const deployment: DeploymentRequest = {
    ...{ name: request.name, slot: freeSlot(container, host.places.keep), image, setValues, previous: from.info },
    permissions: [...new Set([...from.info.permissions, ...permissions])],
    imageName: wanted.reference,
    runtimePath: request.runtimePath ?? (from.info.runtime || request.defaultRuntime()),
    tagVersion: wanted.tagVersion,
  };
  return { container, from, deployment, wanted };
}

function wantedImage(info: Info, { rebase, tagVersion }: UpdateRequest): WantedImage {
  // A bound is for the tags of one image: another one, unless it comes with a bound, is taken as it was named.
  if (rebase !== undefined) return { reference: rebase, tagVersion };
  return { reference: info.image, tagVersion: tagVersion ?? info.tagVersion };
}

function imageFor(
  repository: Repository | undefined,
  info: Info,
  wanted: WantedImage,
  { rebase }: UpdateRequest,
): StoredImage | { readonly rootfs: string } {
  if (info.rootfs !== undefined && rebase === undefined) return { rootfs: info.rootfs };
  if (repository !== undefined) return storedImage(repository, wanted);
  throw new ContainerError('IMAGE_NOT_STORED', `cannot find the image ${wanted.reference}: nothing was pulled yet`, {
    hint: `"pull ${wanted.reference}" brings it`,
    subject: wanted.reference,
  });
}

async function pullIfNeeded(repository: Repository | undefined, info: Info, request: UpdateRequest): Promise<void> {
  const { pull, pullFirst, rebase } = request;
  if (pull === undefined || repository === undefined || (info.rootfs !== undefined && rebase === undefined)) return;
  const wanted = wantedImage(info, request);
  const isMissing = rebase !== undefined && findWanted(repository, wanted) === undefined;
  if (pullFirst || isMissing) await pull({ ...wanted, floor: info.verification });
}

/** @throws ContainerError VERIFICATION_WEAKER */
function assertNotWeaker({ verification: before, revision, image }: Info, { verification, digest }: StoredImage): void {
  const now = verification ?? { level: 'none' };
  if (before === undefined || digest === `sha256:${revision}` || !isWeaker(now, before)) return;
  throw new ContainerError('VERIFICATION_WEAKER', `${image}: pulled with less to vouch for it than what is installed`, {
    hint: `installed: ${before.level}; pulled: ${now.level}`,
    subject: image,
  });
}

function isSameImage(info: Info, image: DeploymentRequest['image']): boolean {
  return 'rootfs' in image ? info.rootfs === image.rootfs : image.digest === `sha256:${info.revision}`;
}

function isSameValues({ values }: Info, setValues: ReadonlyMap<string, string>): boolean {
  return [...setValues].every(([name, value]) => values.get(name) === value);
}

/** Nothing to deploy; by what name the image is looked for from now on, and what it may do, is remembered all the same. */
function unchanged(host: Host, { from, wanted }: Decision, { permissions }: UpdateRequest): Updated {
  host.log.action('latest version already deployed');
  const { info } = from;
  const allowed = [...new Set([...info.permissions, ...permissions])];
  const isNew =
    wanted.reference !== info.image ||
    wanted.tagVersion !== info.tagVersion ||
    allowed.length > info.permissions.length;
  const noted = { image: wanted.reference, tagVersion: wanted.tagVersion, permissions: allowed };
  const to = isNew ? { ...from, info: { ...info, ...noted } } : from;
  if (isNew) writeInfo(to.path, to.info);
  return { outcome: 'unchanged', from, to, started: false, keptFiles: [], removed: [] };
}

const revisionOf = ({ image }: DeploymentRequest): string | undefined =>
  'digest' in image ? image.digest.replace(/^sha256:/, '') : undefined;

function isSkipped({ skippedRevision }: Info, deployment: DeploymentRequest): boolean {
  return skippedRevision !== undefined && skippedRevision === revisionOf(deployment);
}

function skipped(host: Host, from: Deployment): Updated {
  const { name, info } = from;
  const text = `${name}: ${info.skippedRevision?.slice(0, 12)} was taken back before: waiting for another version`;
  host.log.action(`${text} ("update ${name}" tries it again)`);
  return { outcome: 'skipped', from, to: from, started: false, keptFiles: [], removed: [] };
}

/** A version that does not run is remembered, so that nobody's timer stops the service for it every day. */
async function noting(from: Deployment, to: DeploymentRequest, work: () => Promise<Switched>): Promise<Switched> {
  try {
    return await work();
  } catch (error) {
    const skippedRevision = revisionOf(to);
    if (codeOf(error) === 'SERVICE_DID_NOT_START' && skippedRevision !== from.info.revision) {
      writeInfo(from.path, { ...from.info, skippedRevision });
    }
    throw error;
  }
}

function updated(container: Container, from: Deployment, switched: Switched): Updated {
  const { deployment: to, plan, started, removedSlots } = switched;
  const removed = container.slots.filter(({ slot }) => removedSlots.includes(slot));
  return { outcome: 'updated', from, to, started, keptFiles: plan.kept, removed };
}
