/** `uninstall`: also for what is broken, in whatever way (spec system-containers 17). */
import { type Deployment, findContainer } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import type { HostPlan } from '../host-files/index.ts';
import {
  assertChangeable,
  planSwitch,
  recoverIfPossible,
  removeContainer,
  withContainerLock,
} from '../switch/index.ts';

export interface Uninstalled {
  /** Host files that the administrator had changed, and that are still there. */
  readonly keptFiles: readonly string[];
  readonly deployments: readonly Deployment[];
}

export interface UninstallRequest {
  readonly name: string;
  /** State and modified files go, too. */
  readonly purge: boolean;
}

/** @throws ContainerError CONTAINER_MISSING; SERVICE_DID_NOT_STOP, after which everything is as it was */
export async function uninstallContainer(host: Host, request: UninstallRequest): Promise<Uninstalled> {
  assertChangeable(host, request.name);
  return withContainerLock(host, request.name, async (lock) => {
    await recoverIfPossible(host, lock, request.name);
    if (findContainer(host.places, request.name) === undefined) return { keptFiles: [], deployments: [] };
    return removeContainer(host, lock, request);
  });
}

export interface UninstallPlan {
  readonly deployments: readonly Deployment[];
  readonly hostFiles: readonly HostPlan[];
}

/** The same without doing it. */
export async function planRemoval(host: Host, { name, purge }: UninstallRequest): Promise<UninstallPlan> {
  assertChangeable(host, name);
  const container = findContainer(host.places, name);
  const deployments = container?.active === undefined ? (container?.slots ?? []) : [container.active];
  const hostFiles: HostPlan[] = [];
  for (const { info } of deployments) hostFiles.push(await planSwitch({ host, to: undefined, previous: info, purge }));
  return { deployments, hostFiles };
}
