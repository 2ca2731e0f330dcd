/** Images that deployments came from, and that nothing leads to any more, take no room for longer than needed. */
import { explain } from '../../base/error.ts';
import type { Repository } from '../../ostree/index.ts';
import { type Deployment, deployedImages } from '../deployment/index.ts';
import type { Host } from '../host.ts';
import { pruneImages, readableImages } from '../storage/index.ts';

/** That it cannot be done is told, and takes nothing back. @param removed deployments that are no more */
export async function pruneReplaced(
  host: Host,
  repository: Repository,
  removed: readonly Pick<Deployment, 'info'>[],
): Promise<void> {
  try {
    const { signal, lockTimeoutMs: timeoutMs } = host;
    if (!isAnyUnused(host, repository, removed)) return;
    const log = { ...host.log, action: host.log.detail };
    await pruneImages({ log }, repository, { inUse: () => deployedImages(host.places), signal, timeoutMs });
  } catch (error) {
    host.signal.throwIfAborted();
    host.log.warning(`images that were replaced are not pruned: ${explain(error)}`);
  }
}

function isAnyUnused({ places }: Host, repository: Repository, removed: readonly Pick<Deployment, 'info'>[]): boolean {
  if (removed.length === 0) return false;
  const needed = new Set([
    ...readableImages(repository).map(({ digest }) => digest.slice(digest.indexOf(':') + 1)),
    ...deployedImages(places).map(({ revision }) => revision),
  ]);
  return removed.some(({ info }) => info.revision !== '' && !needed.has(info.revision));
}
