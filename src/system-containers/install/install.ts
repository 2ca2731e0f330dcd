/** `install`: a new container from a stored image, or from a root file system of the user's (spec system-containers 14). */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { printable } from '../../base/text.ts';
import { lockForReading, type Repository } from '../../ostree/index.ts';
import {
  assertNameFree,
  type Deployment,
  type DeploymentRequest,
  type Prepared,
  prepare,
  type TagVersion,
} from '../deployment/index.ts';
import { ContainerError } from '../error.ts';
import type { Host } from '../host.ts';
import { assertContainerName, defaultName } from '../names/index.ts';
import { findImage, type StoredImage } from '../storage/index.ts';
import { readJournal, switchDeployment, unitFilesInTheWay, withContainer, withNamesLock } from '../switch/index.ts';
import { findWanted, type PullPort, storedImage, type WantedImage } from './find-image.ts';

export interface InstallRequest {
  /** The image as the user wrote it; with `rootfs` only a name for it. */
  readonly image: string;
  /** The image itself, when that is known; `image` is then only what later updates look for. */
  readonly stored?: StoredImage | undefined;
  /** Absolute path of a root file system that is used as it is. */
  readonly rootfs?: string | undefined;
  /** Default: from the image's name. */
  readonly name?: string | undefined;
  readonly setValues: ReadonlyMap<string, string>;
  /** Of `--allow-host`. */
  readonly permissions: readonly string[];
  /** Asked for when the container has a service. @throws CodedError RUNTIME_MISSING */
  runtimePath(): string;
  readonly tagVersion?: TagVersion | undefined;
  /** For an image that is not stored; undefined: that is an error. */
  readonly pull?: PullPort | undefined;
}

export interface Installed {
  readonly deployment: Deployment;
  /** Undefined for a root file system of the user's. */
  readonly image: StoredImage | undefined;
  /** Host files of the image that were there already, and were left alone. */
  readonly conflicts: readonly string[];
}

/**
 * Nothing is left of it when it fails.
 * @param repository undefined will do for a root file system
 * @throws ContainerError CONTAINER_EXISTS, HOST_FILE_EXISTS, IMAGE_NOT_STORED; as `prepare` and `switchDeployment`
 */
export async function installContainer(
  host: Host,
  repository: Repository | undefined,
  request: InstallRequest,
): Promise<Installed> {
  const wanted: WantedImage = { reference: request.image, tagVersion: request.tagVersion };
  const known =
    request.stored ?? (repository && request.rootfs === undefined ? findWanted(repository, wanted) : undefined);
  const name = nameOf(request, known);
  // Said before anything is fetched, unless an interrupted run is still in the way.
  if (readJournal(host.places, name) === undefined) assertFree(host, name);
  const image = known ?? (await pulled(repository, request));
  return withContainer(host, name, async (lock) => {
    assertFree(host, name);
    return withPrepared(host, repository, deploymentRequest(repository, request, { name, image }), (prepared) =>
      withNamesLock(host, async () => {
        assertFree(host, name);
        tellExtraUnits(host, prepared);
        const { deployment, plan } = await switchDeployment(host, lock, {
          ...{ operation: 'install', name, from: undefined, to: prepared, slot: prepared.slot, graceMs: 0 },
        });
        if (deployment.info.hasService) tellLingering(host);
        return { deployment, image, conflicts: plan.conflicts };
      }),
    );
  });
}

/** Where systemd remembers who asked for it. */
const LINGERING = '/var/lib/systemd/linger';

function tellLingering({ places, env, log }: Host): void {
  const user = env['USER'] ?? '';
  if (places.scope === 'system' || places.root !== '' || user === '' || existsSync(`${LINGERING}/${user}`)) return;
  log.warning(`services of ${printable(user)} end at logout: "loginctl enable-linger" keeps them running`);
}

/** @throws ContainerError BAD_CONTAINER_NAME */
export function nameOf({ name, image, rootfs }: InstallRequest, known: StoredImage | undefined): string {
  const isDigest = known !== undefined && /^[0-9a-f]+$/.test(image) && !known.name.includes(`/${image}:`);
  const found = name ?? (rootfs === undefined ? defaultName(isDigest ? known.name : image) : basename(rootfs));
  assertContainerName(found);
  return found;
}

/** @throws ContainerError CONTAINER_EXISTS, HOST_FILE_EXISTS */
export function assertFree({ places }: Host, name: string): void {
  assertNameFree(places, name);
  const [path] = unitFilesInTheWay(places, name);
  if (path === undefined) return;
  throw new ContainerError('HOST_FILE_EXISTS', `the file ${path} already exists`, {
    hint: 'it may belong to a package: choose another name with --name, or move it away',
    subject: path,
  });
}

async function pulled(repository: Repository | undefined, request: InstallRequest): Promise<StoredImage | undefined> {
  const { image, rootfs, tagVersion, pull } = request;
  if (rootfs !== undefined) return undefined;
  if (pull !== undefined) return pull({ reference: image, tagVersion, floor: undefined });
  if (repository !== undefined) return storedImage(repository, { reference: image, tagVersion });
  throw new ContainerError('IMAGE_NOT_STORED', `cannot find the image ${image}: nothing was pulled yet`, {
    hint: `"pull ${image}" brings it`,
    subject: image,
  });
}

export function deploymentRequest(
  repository: Repository | undefined,
  request: InstallRequest,
  { name, image }: { readonly name: string; readonly image: StoredImage | undefined },
): DeploymentRequest {
  const { rootfs, setValues, permissions, tagVersion } = request;
  // What is written has to lead to the image again; an archive without a name of its own does not.
  const isFound =
    request.stored !== undefined || image === undefined || repository === undefined || tagVersion !== undefined;
  const imageName = isFound || findImage(repository, request.image) !== undefined ? request.image : image.name;
  return {
    ...{ name, slot: 0, imageName, setValues, permissions, tagVersion, runtimePath: request.runtimePath() },
    image: image ?? { rootfs: rootfs ?? '' },
  };
}

/** Nothing that the new deployment needs is pruned meanwhile, and nothing of it stays when the work fails. */
export async function withPrepared<T>(
  host: Host,
  repository: Repository | undefined,
  request: DeploymentRequest,
  work: (prepared: Prepared) => Promise<T>,
): Promise<T> {
  const held = repository && (await lockForReading(repository, { signal: host.signal, timeoutMs: host.lockTimeoutMs }));
  try {
    const prepared = await prepare(host, repository, request);
    try {
      return await work(prepared);
    } finally {
      prepared.discard();
    }
  } finally {
    held?.release();
  }
}

/** Enabling the unit touches these, too: an image can take the name of any service. */
function tellExtraUnits({ log }: Host, { name, preflight }: Prepared): void {
  const { extraUnitNames } = preflight;
  if (extraUnitNames.length > 0) log.warning(`${name}.service also acts on ${extraUnitNames.join(', ')}`);
}
