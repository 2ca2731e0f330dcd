/** A destination in the hands of an administrator: opened, its debts recovered, its manifest read. */
import { matches } from '../../version/index.ts';
import type { Config } from '../config/config.ts';
import { type Destination, openDestination } from '../destination/destination.ts';
import { fetchedBefore, readLocalManifest } from '../destination/local-manifest.ts';
import type { State } from '../destination/state.ts';
import { TakoError } from '../error.ts';
import { findVersion, type Manifest, type ManifestEntry } from '../manifest/manifest.ts';
import { currentEntry } from '../update/candidates.ts';
import { isBeingSettled, recoverDebt, type SettlePorts } from '../update/settle.ts';

/** A destination under its lock, with what it holds. */
export interface Held {
  readonly destination: Destination;
  readonly manifest: Manifest;
  readonly state: State;
  readonly current: ManifestEntry | undefined;
}

export async function withDestination<T>(config: Config, work: (destination: Destination) => Promise<T>): Promise<T> {
  const destination = openDestination(config.destination, 'refuse');
  try {
    return await work(destination);
  } finally {
    destination.close();
  }
}

/** @throws TakoError BUSY while another run restarts units, NO_MANIFEST before the first fetch */
export async function look(
  destination: Destination,
  config: Config,
  dryRun: boolean,
  ports: SettlePorts,
  signal: AbortSignal,
): Promise<Held> {
  const warn = (text: string): void => ports.progress({ kind: 'warning', text });
  const found = await destination.readState(warn);
  if (isBeingSettled(found)) {
    throw new TakoError('BUSY', `process ${found.owed?.runner?.pid} is restarting the units of ${destination.path}`, {
      hint: 'try again when it has ended',
    });
  }
  const manifest = fetchedBefore(readLocalManifest(destination, config.publicKeys, warn), destination);
  const state = await recoverDebt(destination, manifest, found, dryRun, signal);
  // What is owed for is linked, or in a dry run would be.
  const latest = state.owed?.image ?? destination.readLatest();
  return { destination, manifest, state, current: currentEntry(manifest.entries, config.pattern, latest) };
}

/** @throws TakoError UNKNOWN_VERSION */
export function published(manifest: Manifest, version: string): ManifestEntry {
  const entry = findVersion(manifest.entries, version);
  if (entry !== undefined) return entry;
  throw new TakoError('UNKNOWN_VERSION', `version ${version} is not in the manifest`, { hint: 'see "tako list"' });
}

export function assertMatches(config: Config, entry: ManifestEntry): void {
  if (matches(config.pattern, entry.version)) return;
  throw new TakoError(
    'UNKNOWN_VERSION',
    `version ${entry.version.text} does not match Version=${config.pattern.text}`,
    {
      hint: 'change Version= first: it says which versions this host may have',
    },
  );
}
