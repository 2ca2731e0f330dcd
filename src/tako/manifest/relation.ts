/**
 * How a remote manifest relates to the stored one. A manifest only ever grows: that rule, and nothing else, protects
 * a host from being handed an old manifest again.
 */
import { type ManifestEntry, sameEntry } from './manifest.ts';

export type Relation =
  /** Every stored entry is in the remote manifest (which may be equal): it is accepted. */
  | 'superset'
  /** Every remote entry is stored, and some stored ones are missing: an old manifest. */
  | 'older'
  /** Neither: the key holder has said two things. */
  | 'contradiction';

export function relate(stored: readonly ManifestEntry[], remote: readonly ManifestEntry[]): Relation {
  if (contains(remote, stored)) return 'superset';
  return contains(stored, remote) ? 'older' : 'contradiction';
}

/** One merge pass in file order, so that an entry that is listed twice counts twice and reordering is noticed. */
function contains(outer: readonly ManifestEntry[], inner: readonly ManifestEntry[]): boolean {
  let next = 0;
  for (const entry of outer) {
    const wanted = inner[next];
    if (wanted === undefined) return true;
    if (sameEntry(entry, wanted)) next++;
  }
  return next === inner.length;
}
