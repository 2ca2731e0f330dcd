/** Deployments as the store asks about them. */
import type { Deployment } from '../../../system-containers/index.ts';
import type { HostContext } from '../with-host.ts';

/** Names of containers by the hex digest of their images. */
export function usersOf({ containers, host }: HostContext): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, Set<string>>();
  for (const { container, revision } of containers.deployedImages(host.places)) {
    users.set(revision, (users.get(revision) ?? new Set()).add(container));
  }
  return new Map([...users].map(([revision, names]) => [revision, [...names].sort()]));
}

/** Those with a root file system of their own. @param revision hex digest of their image; undefined: of any */
export function deploymentsOf({ containers, host }: HostContext, revision: string | undefined): readonly Deployment[] {
  const all = containers.listContainers(host.places).flatMap(({ slots }) => slots);
  return all.filter(({ info }) => info.rootfs === undefined && (revision ?? info.revision) === info.revision);
}
