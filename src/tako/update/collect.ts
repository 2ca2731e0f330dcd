/** Garbage: which images and leftovers of a store may go. */

import { isHex } from '../../base/decode.ts';
import type { Directory } from '../../linux/files/directory.ts';
import { compareVersions } from '../../version/index.ts';
import type { Config } from '../config/config.ts';
import type { Destination } from '../destination/destination.ts';
import type { State } from '../destination/state.ts';
import { findVersion, type Manifest, type ManifestEntry } from '../manifest/manifest.ts';
import { chooseCandidates } from './candidates.ts';

const DAY_MS = 86_400_000;
const PART_LIFE_MS = 7 * DAY_MS;
/** The reference names its temporary files `HEX.new`; one that is younger may still be written. */
const REFERENCE_LIFE_MS = DAY_MS;

export interface StoredImage {
  readonly sha256: string;
  readonly bytes: number;
  /** The newest version that the manifest gives it; undefined when the manifest does not list it. */
  readonly entry: ManifestEntry | undefined;
}

export function listImages(store: Directory | undefined, entries: readonly ManifestEntry[]): StoredImage[] {
  const newest = new Map<string, ManifestEntry>();
  for (const entry of entries) {
    const known = newest.get(entry.sha256);
    if (known === undefined || compareVersions(known.version, entry.version) < 0) newest.set(entry.sha256, entry);
  }
  return (store?.list() ?? [])
    .filter((name) => isHex(name, 32))
    .map((sha256) => ({ sha256, bytes: store?.lstat(sha256)?.size ?? 0, entry: newest.get(sha256) }))
    .sort(oldestFirst);
}

/** An image without a version is older than any. */
function oldestFirst(a: StoredImage, b: StoredImage): number {
  if (a.entry === undefined || b.entry === undefined)
    return Number(a.entry !== undefined) - Number(b.entry !== undefined);
  return compareVersions(a.entry.version, b.entry.version);
}

/** Images that are never collected, whatever the limits. */
export interface Protection {
  readonly latest: string | undefined;
  readonly state: State;
  /** What this host should have: downloaded perhaps, and not linked yet. */
  readonly candidate: string | undefined;
  readonly entries: readonly ManifestEntry[];
}

/** The images that go, oldest version first, so that what stays keeps both limits as far as protection lets it. */
export function planCollection(
  images: readonly StoredImage[],
  limits: Pick<Config, 'keepVersions' | 'keepBytes'>,
  protection: Protection,
): StoredImage[] {
  const kept = protectedImages(images, protection);
  let count = images.length;
  let bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  const gone: StoredImage[] = [];
  for (const image of images) {
    const tooMany = limits.keepVersions !== undefined && count > limits.keepVersions;
    const tooLarge = limits.keepBytes !== undefined && bytes > limits.keepBytes;
    if (!tooMany && !tooLarge) break;
    if (kept.has(image.sha256)) continue;
    gone.push(image);
    count--;
    bytes -= image.bytes;
  }
  return gone;
}

function protectedImages(
  images: readonly StoredImage[],
  { latest, state, candidate, entries }: Protection,
): Set<string> {
  const held = state.hold === null ? undefined : findVersion(entries, state.hold.version);
  const names = [latest, candidate, state.previous, state.owed?.image, state.owed?.previous, held?.sha256];
  // Where the previous image is not known or not there, the newest of the others stands for it.
  if (!images.some((image) => image.sha256 === state.previous) && state.owed === null) {
    names.push(images.findLast((image) => image.sha256 !== latest && image.sha256 !== candidate)?.sha256);
  }
  return new Set(names.filter((name) => typeof name === 'string'));
}

/** Delete images. The caller holds the lock. */
export function removeImages(destination: Destination, images: readonly StoredImage[]): void {
  for (const { sha256 } of images) destination.store?.unlink(sha256);
  if (images.length > 0) destination.store?.sync();
}

/**
 * What killed runs left behind in `store/`: partial downloads of images that are not wanted any more or are a week old,
 * and day-old temporary files of the reference.
 */
export function findLeftovers(
  store: Directory | undefined,
  candidates: readonly ManifestEntry[],
  now: number,
): string[] {
  const wanted = new Set(candidates.map((entry) => entry.sha256));
  return (store?.list() ?? []).filter((name) => {
    const part = /^\.([0-9a-f]{64})\.part$/.exec(name)?.[1];
    if (part === undefined && !/^[0-9a-f]{64}\.new$/.test(name)) return false;
    const age = now - (store?.lstat(name)?.mtimeMs ?? now);
    return part === undefined ? age > REFERENCE_LIFE_MS : !wanted.has(part) || age > PART_LIFE_MS;
  });
}

/** Remove it, and temporary files beside the store. The caller holds the lock; the names in `store/` come back. */
export function removeLeftovers(destination: Destination, candidates: readonly ManifestEntry[], now: number): string[] {
  destination.removeTemporaries((stats) => now - stats.mtimeMs > REFERENCE_LIFE_MS);
  const { store } = destination;
  return findLeftovers(store, candidates, now).filter((name) => store?.unlink(name));
}

/** Collect by the limits of the configuration. The caller holds the lock; digests of what went come back. */
export async function collectGarbage(
  { destination, config }: { readonly destination: Destination; readonly config: Config },
  manifest: Manifest,
): Promise<string[]> {
  if (config.keepVersions === undefined && config.keepBytes === undefined) return [];
  const gone = await findGarbage({ destination, config }, manifest);
  removeImages(destination, gone);
  return gone.map((image) => image.sha256);
}

/** What `collectGarbage` would remove. */
export async function findGarbage(
  { destination, config }: { readonly destination: Destination; readonly config: Config },
  manifest: Manifest,
): Promise<StoredImage[]> {
  const state = await destination.readState(() => undefined); // reported when the run began
  const latest = destination.readLatest();
  const { entries } = manifest;
  const [candidate] = chooseCandidates(entries, config.pattern, latest, state).candidates;
  const protection = { latest, state, candidate: candidate?.sha256, entries };
  return planCollection(listImages(destination.store, entries), config, protection);
}
