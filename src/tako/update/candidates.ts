/** Which of the published images this host should have: the pattern, then holds and skips. */
import { compareVersions, matches, type Pattern, parseVersion, select } from '../../version/index.ts';
import type { State } from '../destination/state.ts';
import type { ManifestEntry } from '../manifest/manifest.ts';

export interface Choice {
  /** Images to try, the wanted one first; the others are older and only stand in for what was withdrawn. */
  readonly candidates: readonly ManifestEntry[];
  /** The newest image that the pattern allows, whatever is held or skipped. */
  readonly newest: ManifestEntry | undefined;
  /** What `latest` names, if the manifest lists it. */
  readonly current: ManifestEntry | undefined;
}

export function chooseCandidates(
  entries: readonly ManifestEntry[],
  pattern: Pattern,
  latest: string | undefined,
  state: Pick<State, 'hold' | 'skip'>,
): Choice {
  const compatible = select(pattern, entries, (entry) => entry.version);
  const current = currentEntry(entries, pattern, latest);
  // Never below what is linked now; a current image outside the pattern is no floor, the administrator moved the bound.
  const floor = current !== undefined && matches(pattern, current.version) ? current : undefined;
  const allowed = compatible.filter(allowedBy(state, floor));
  const [wanted, ...older] = allowed;
  const stands = older.filter((entry) => floor === undefined || compareVersions(entry.version, floor.version) >= 0);
  return { candidates: wanted === undefined ? [] : [wanted, ...stands], newest: compatible[0], current };
}

/** One image may carry several versions: the newest one that the pattern allows, else the newest. */
export function currentEntry(
  entries: readonly ManifestEntry[],
  pattern: Pattern,
  latest: string | undefined,
): ManifestEntry | undefined {
  const named = entries
    .filter((entry) => entry.sha256 === latest)
    .sort((a, b) => compareVersions(b.version, a.version));
  return named.find((entry) => matches(pattern, entry.version)) ?? named[0];
}

function allowedBy(
  { hold, skip }: Pick<State, 'hold' | 'skip'>,
  floor: ManifestEntry | undefined,
): (entry: ManifestEntry) => boolean {
  if (hold !== null) {
    const held = parseVersion(hold.version);
    return (entry) => compareVersions(entry.version, held) === 0;
  }
  const skipped = skip.map((mark) => parseVersion(mark.version)).sort(compareVersions);
  const last = skipped.at(-1);
  if (last === undefined) return () => true;
  // Nothing to stay on: take anything but what was found bad.
  if (floor === undefined) return (entry) => !skipped.some((version) => compareVersions(version, entry.version) === 0);
  // What sorts above every skipped version is new; until there is such a one, the host stays where it is.
  return (entry) => compareVersions(entry.version, last) > 0 || entry.sha256 === floor.sha256;
}
