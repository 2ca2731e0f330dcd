/** Deployments as the store asks about them. */
import type { Places } from '../places/index.ts';
import type { InUse } from '../storage/index.ts';
import { listContainers } from './container.ts';

/** What every deployment needs, also those that are not active. */
export function deployedImages(places: Places): readonly InUse[] {
  return listContainers(places).flatMap(({ name, slots }) =>
    slots.map(({ info }) => ({ container: name, revision: info.revision, imageCommit: info.imageCommit })),
  );
}
