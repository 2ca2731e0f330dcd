/** Images that deployments came from, and that nothing leads to any more, take no room for longer than needed. */
import { explain } from '../../base/error.ts';
import type { Repository } from '../../ostree/index.ts';
import { type Deployment, listContainers } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import type { Places } from '../places/index.ts';
import { type InUse, pruneImages, readableImages } from '../storage/index.ts';

/** What every deployment needs, also those that are not active. */
export function imagesInUse(places: Places): readonly InUse[] {
  return listContainers(places).flatMap(({ name, slots }) =>
    slots.map(({ info }) => ({ container: name, revision: info.revision, imageCommit: info.imageCommit })),
  );
}

/** That it cannot be done is told, and takes nothing back. @param removed deployments that are no more */
export async function pruneReplaced(
  host: Host,
  repository: Repository,
  removed: readonly Pick<Deployment, 'info'>[],
): Promise<void> {
  try {
    const { signal, lockTimeoutMs: timeoutMs } = host;
    if (!isAnyUnused(host, repository, removed)) return;
    // Nothing may be deployed between the look at the deployments and the end of the pruning.
    const held = await repository.lock.acquire('exclusive', { signal, timeoutMs });
    try {
      const log = { ...host.log, action: host.log.detail };
      await pruneImages({ log }, repository, { inUse: imagesInUse(host.places), signal, timeoutMs });
    } finally {
      held.release();
    }
  } catch (error) {
    host.signal.throwIfAborted();
    host.log.warning(`images that were replaced are not pruned: ${explain(error)}`);
  }
}

function isAnyUnused({ places }: Host, repository: Repository, removed: readonly Pick<Deployment, 'info'>[]): boolean {
  if (removed.length === 0) return false;
  const needed = new Set([
    ...readableImages(repository).map(({ digest }) => digest.slice(digest.indexOf(':') + 1)),
    ...imagesInUse(places).map(({ revision }) => revision),
  ]);
  return removed.some(({ info }) => info.revision !== '' && !needed.has(info.revision));
}
