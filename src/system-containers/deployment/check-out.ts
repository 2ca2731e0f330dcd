/** The root file system of a deployment: hard links into the repository wherever there can be some. */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { CHECKOUT_DEFAULTS, type Checksum, checkout, type Repository } from '../../ostree/index.ts';
import type { Host } from '../host.ts';
import type { Places } from '../places/index.ts';

/** Not flushed: the caller does that once for everything. @param target does not exist yet */
export async function checkOutRoot(
  { places, log, signal }: Host,
  repository: Repository,
  commit: Checksum,
  target: string,
): Promise<void> {
  const options = { ...CHECKOUT_DEFAULTS, userMode: places.scope === 'user', fsync: false };
  const result = await checkout(repository, commit, target, options, signal);
  if (result.linked > 0 || result.bytes === 0) return;
  log.warning(
    hasLinkableMode(places, repository)
      ? `files are copied: ${repository.path} and ${places.checkouts} lie on different file systems`
      : `files are copied: those of a repository of mode ${repository.mode} cannot be linked`,
  );
}

/** Will a check-out make hard links? The directory of the deployments need not be there yet. */
export function canLinkTo(places: Places, repository: Repository): boolean {
  let above = places.checkouts;
  while (!existsSync(above)) above = dirname(above);
  return hasLinkableMode(places, repository) && statSync(repository.path).dev === statSync(above).dev;
}

function hasLinkableMode({ scope }: Places, { mode }: Repository): boolean {
  return scope === 'system' ? mode === 'bare' : mode === 'bare-user' || mode === 'bare-user-only';
}
