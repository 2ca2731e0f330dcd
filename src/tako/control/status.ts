/** What a destination has, what it could have, and what is remembered about it; nothing is written. */
import { compareVersions, matches, parsePattern, select } from '../../version/index.ts';
import type { Config } from '../config/config.ts';
import { openDestination } from '../destination/destination.ts';
import { readLocalManifest } from '../destination/local-manifest.ts';
import type { State } from '../destination/state.ts';
import { hasVersion, type Manifest, type ManifestEntry } from '../manifest/manifest.ts';
import { chooseCandidates } from '../update/candidates.ts';
import { listImages } from '../update/collect.ts';
import type { Origin } from '../update/origin.ts';
import { receiveManifest } from '../update/receive-manifest.ts';

export interface Status {
  readonly current: ManifestEntry | undefined;
  /** The newest that the pattern allows. */
  readonly newestCompatible: ManifestEntry | undefined;
  /** The newest of all. */
  readonly newestPublished: ManifestEntry | undefined;
  /** What the next run would link; undefined when that is what is linked, or nothing. */
  readonly pending: ManifestEntry | undefined;
  /** Is `pending` in the store already? */
  readonly staged: boolean;
  readonly storeBytes: number;
  readonly storedImages: number;
  readonly state: State;
  /** Undefined before the first fetch. */
  readonly manifest: Manifest | undefined;
}

export interface StatusPorts {
  readonly warn: (text: string) => void;
  /** Ask these origins for a newer manifest; without it the status is offline. */
  readonly refresh?: { readonly origins: readonly Origin[]; readonly gravity: (error: unknown) => number };
}

const ANY = parsePattern('*');

/** @throws as reading the manifest does */
export async function readStatus(config: Config, ports: StatusPorts, signal: AbortSignal): Promise<Status> {
  const destination = openDestination(config.destination, ports.warn);
  try {
    const state = await destination.readState(ports.warn);
    const stored = readLocalManifest(destination, config.publicKeys, ports.warn);
    const manifest =
      ports.refresh === undefined ? stored : await refreshed(config, stored, state, ports.refresh, ports.warn, signal);
    const entries = manifest?.entries ?? [];
    const latest = destination.readLatest();
    const choice = chooseCandidates(entries, config.pattern, latest, state);
    const wanted = choice.candidates.find((entry) => !state.withdrawn.includes(entry.sha256));
    const images = listImages(destination.store, entries);
    const pending = wanted !== undefined && wanted.sha256 !== latest ? wanted : undefined;
    return {
      current: choice.current,
      newestCompatible: choice.newest,
      newestPublished: select(ANY, entries, (entry) => entry.version)[0],
      pending,
      staged: pending !== undefined && images.some((image) => image.sha256 === pending.sha256),
      storeBytes: images.reduce((sum, image) => sum + image.bytes, 0),
      storedImages: images.length,
      state,
      manifest,
    };
  } finally {
    destination.close();
  }
}

async function refreshed(
  config: Config,
  stored: Manifest | undefined,
  state: State,
  { origins, gravity }: NonNullable<StatusPorts['refresh']>,
  warn: (text: string) => void,
  signal: AbortSignal,
): Promise<Manifest> {
  const known = stored && { manifest: stored, etag: state.etag, origin: state.origin };
  const progress = (event: { readonly kind: string; readonly text?: string }): void => {
    if (event.text !== undefined) warn(event.text);
  };
  return (await receiveManifest(known, { origins, gravity, keys: config.publicKeys, progress }, signal)).manifest;
}

export interface Listed {
  readonly entry: ManifestEntry;
  readonly matches: boolean;
  readonly stored: boolean;
  readonly current: boolean;
  readonly held: boolean;
  readonly skipped: boolean;
}

/** Every published version, oldest first. */
export async function listVersions(config: Config, warn: (text: string) => void): Promise<readonly Listed[]> {
  const destination = openDestination(config.destination, warn);
  try {
    const state = await destination.readState(warn);
    const entries = readLocalManifest(destination, config.publicKeys, warn)?.entries ?? [];
    const latest = destination.readLatest();
    const stored = new Set(listImages(destination.store, entries).map((image) => image.sha256));
    return [...entries]
      .sort((a, b) => compareVersions(a.version, b.version))
      .map((entry) => ({
        entry,
        matches: matches(config.pattern, entry.version),
        stored: stored.has(entry.sha256),
        current: entry.sha256 === latest,
        held: state.hold !== null && hasVersion(entry, state.hold.version),
        skipped: state.skip.some((mark) => hasVersion(entry, mark.version)),
      }));
  } finally {
    destination.close();
  }
}

/** What an administrator should look at: undefined when all is well. */
export function healthOf({ state, newestCompatible }: Pick<Status, 'state' | 'newestCompatible'>): string | undefined {
  if (state.owed !== null) return 'units are still to be restarted';
  const newest = newestCompatible;
  const bad = newest && state.skip.find((mark) => mark.reason === 'health' && hasVersion(newest, mark.version));
  if (bad !== undefined) return `${bad.version} did not stay healthy and is skipped`;
  const last = state.history.at(-1);
  return last === undefined || last.result === 'done' ? undefined : last.result;
}
