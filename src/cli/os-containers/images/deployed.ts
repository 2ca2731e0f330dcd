/** Deployments as the store asks about them. */
import type { Deployment, InUse } from '../../../system-containers/index.ts';
import type { HostContext } from '../with-host.ts';

/** What all deployments come from, also those that are not active. */
export function inUse({ containers, host }: HostContext): readonly InUse[] {
  return containers.imagesInUse(host.places);
}

/** Names of containers by the hex digest of their images. */
export function usersOf(context: HostContext): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, Set<string>>();
  for (const { container, revision } of inUse(context)) {
    users.set(revision, (users.get(revision) ?? new Set()).add(container));
  }
  return new Map([...users].map(([revision, names]) => [revision, [...names].sort()]));
}

/** Those with a root file system of their own. @param revision hex digest of their image; undefined: of any */
export function deploymentsOf({ containers, host }: HostContext, revision: string | undefined): readonly Deployment[] {
  const all = containers.listContainers(host.places).flatMap(({ slots }) => slots);
  return all.filter(({ info }) => info.rootfs === undefined && (revision ?? info.revision) === info.revision);
}
