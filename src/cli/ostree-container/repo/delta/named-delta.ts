/** A delta as the user calls it: by its name in the repository, or by a path. */
import type { Opened } from '../with-repository.ts';

/** @throws OstreeError DELTA_MISSING, DELTA_MALFORMED */
export function openNamed(text: string, { ostree, repository }: Opened) {
  if (!/^[0-9a-f]{64}(-[0-9a-f]{64})?$/.test(text)) return ostree.openDeltaPath(text);
  const name = ostree.parseDeltaName(text);
  const found = ostree.openDelta(repository, name);
  if (found === undefined) throw ostree.noDelta(name);
  return found;
}
