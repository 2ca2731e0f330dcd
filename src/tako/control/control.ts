/** What an administrator decides against the newest version: roll back, hold, and take either back. */
import { jsonTime } from '../../base/json.ts';
import { compareVersions, matches } from '../../version/index.ts';
import type { Config } from '../config/config.ts';
import { type Destination, openDestination } from '../destination/destination.ts';
import { inspectImage } from '../destination/images.ts';
import { fetchedBefore, readLocalManifest } from '../destination/local-manifest.ts';
import type { Mark, State } from '../destination/state.ts';
import { TakoError } from '../error.ts';
import { findVersion, type Manifest, type ManifestEntry } from '../manifest/manifest.ts';
import { currentEntry } from '../update/candidates.ts';
import { listImages } from '../update/collect.ts';
import { isBeingSettled, recoverDebt, type SettlePorts, settle, switchImage, underLock } from '../update/settle.ts';

/** A destination under its lock, with what it holds. */
interface Held {
  readonly destination: Destination;
  readonly manifest: Manifest;
  readonly state: State;
  readonly current: ManifestEntry | undefined;
}

export interface RolledBack {
  readonly from: ManifestEntry;
  readonly to: ManifestEntry;
  readonly restarted: readonly string[];
  readonly reloaded: readonly string[];
}

/**
 * Link an earlier stored image, restart its units, and skip the version that was left until a newer one appears.
 * @param version undefined: the previous image, or else the newest stored one below the current
 * @throws TakoError UNKNOWN_VERSION, IMAGE_MISSING, INVALID_DIGEST, BUSY; RESTART_FAILED, HEALTH_FAILED after the switch
 */
export async function rollBack(
  config: Config,
  version: string | undefined,
  dryRun: boolean,
  ports: SettlePorts,
  signal: AbortSignal,
): Promise<RolledBack> {
  return withDestination(config, async (destination) => {
    const decide = async (): Promise<{ held: Held; plan: RolledBack }> => {
      const held = await look(destination, config, ports, signal);
      return { held, plan: await planRollback(held, config, version, signal) };
    };
    if (dryRun) return (await decide()).plan;
    const { plan, held, state } = await underLock(destination, ports, signal, async () => {
      const decided = await decide();
      const marked = markLeft(decided.held.state, decided.plan, jsonTime(ports.now()));
      const change = { to: decided.plan.to, from: decided.plan.from, reason: 'rollback', restart: true } as const;
      return { ...decided, state: await switchImage(destination, config, marked, change, ports.now()) };
    });
    await settle({ destination, config, manifest: held.manifest }, state, ports, signal);
    return plan;
  });
}

async function planRollback(
  { destination, manifest, state, current }: Held,
  config: Config,
  version: string | undefined,
  signal: AbortSignal,
): Promise<RolledBack> {
  if (current === undefined) throw new TakoError('IMAGE_MISSING', `${destination.path}: no image is linked`);
  const to =
    version === undefined ? earlier({ destination, manifest, state, current }, config) : published(manifest, version);
  if (compareVersions(to.version, current.version) >= 0) {
    throw new TakoError(
      'UNKNOWN_VERSION',
      `${to.version.text} is not earlier than ${current.version.text}, which is linked`,
      {
        hint: 'to go forward again: "tako unhold", then "tako apply" or "tako fetch"',
      },
    );
  }
  assertMatches(config, to);
  const condition = await inspectImage(destination.store, to, true, signal);
  if (condition === 'absent') {
    throw new TakoError('IMAGE_MISSING', `image ${to.version.text} is not stored here any more`, {
      hint: `stored: see "tako list ${config.path}"; to fetch it: "tako hold ${config.path} ${to.version.text}", then "tako fetch"`,
    });
  }
  if (condition === 'damaged') {
    throw new TakoError('INVALID_DIGEST', `stored image ${to.version.text} is damaged`, {
      hint: `"tako verify --repair ${config.path}" fetches it again`,
    });
  }
  return { from: current, to, restarted: config.restart, reloaded: config.reload };
}

/** The previous image when it is an earlier one, else the newest earlier one that is stored, allowed and not skipped. */
function earlier({ destination, manifest, state, current }: Held, config: Config): ManifestEntry {
  const skipped = new Set(state.skip.map((mark) => mark.version));
  const choices = listImages(destination.store, manifest.entries)
    .flatMap((image) => (image.entry === undefined ? [] : [image.entry]))
    .filter((entry) => current !== undefined && compareVersions(entry.version, current.version) < 0)
    .filter((entry) => matches(config.pattern, entry.version) && !skipped.has(entry.version.text));
  const found = choices.find((entry) => entry.sha256 === state.previous) ?? choices.at(-1);
  if (found !== undefined) return found;
  throw new TakoError('IMAGE_MISSING', `${destination.path}: no earlier image is stored`, {
    hint: 'KeepVersions= says how many images are kept',
  });
}

/** Skip what was left; a hold on it would bring it back. */
function markLeft(state: State, { from, to }: RolledBack, at: string): State {
  const mark: Mark = { version: from.version.text, reason: 'rollback', at };
  const skip = [
    ...state.skip.filter((other) => other.version !== mark.version && other.version !== to.version.text),
    mark,
  ];
  return { ...state, skip, hold: state.hold?.version === to.version.text ? state.hold : null };
}

/**
 * Stay with one version, the current one when none is named, until `release`.
 * @throws TakoError UNKNOWN_VERSION when it is not published, or outside of the pattern
 */
export async function hold(
  config: Config,
  version: string | undefined,
  dryRun: boolean,
  ports: SettlePorts,
  signal: AbortSignal,
): Promise<ManifestEntry> {
  return change(config, dryRun, ports, signal, async ({ destination, manifest, state, current }) => {
    const entry = version === undefined ? current : published(manifest, version);
    if (entry === undefined) throw new TakoError('IMAGE_MISSING', `${destination.path}: no image is linked to hold`);
    assertMatches(config, entry);
    const mark: Mark = { version: entry.version.text, reason: 'hold', at: jsonTime(ports.now()) };
    return { answer: entry, state: { ...state, hold: mark } };
  });
}

/** Forget the hold and all skipped versions; what was forgotten comes back. */
export async function release(
  config: Config,
  dryRun: boolean,
  ports: SettlePorts,
  signal: AbortSignal,
): Promise<readonly Mark[]> {
  return change(config, dryRun, ports, signal, async ({ state }) => ({
    answer: [...(state.hold === null ? [] : [state.hold]), ...state.skip],
    state: { ...state, hold: null, skip: [] },
  }));
}

async function change<T>(
  config: Config,
  dryRun: boolean,
  ports: SettlePorts,
  signal: AbortSignal,
  decide: (held: Held) => Promise<{ readonly answer: T; readonly state: State }>,
): Promise<T> {
  return withDestination(config, async (destination) => {
    if (dryRun) return (await decide(await look(destination, config, ports, signal))).answer;
    return underLock(destination, ports, signal, async () => {
      const { answer, state } = await decide(await look(destination, config, ports, signal));
      await destination.writeState(state);
      return answer;
    });
  });
}

async function withDestination<T>(config: Config, work: (destination: Destination) => Promise<T>): Promise<T> {
  const destination = openDestination(config.destination, 'refuse');
  try {
    return await work(destination);
  } finally {
    destination.close();
  }
}

async function look(destination: Destination, config: Config, ports: SettlePorts, signal: AbortSignal): Promise<Held> {
  const warn = (text: string): void => ports.progress({ kind: 'warning', text });
  const found = await destination.readState(warn);
  if (isBeingSettled(found)) {
    throw new TakoError('BUSY', `process ${found.owed?.runner?.pid} is restarting the units of ${destination.path}`, {
      hint: 'try again when it has ended',
    });
  }
  const manifest = fetchedBefore(readLocalManifest(destination, config.publicKeys, warn), destination);
  const state = await recoverDebt(destination, manifest, found, signal);
  return {
    destination,
    manifest,
    state,
    current: currentEntry(manifest.entries, config.pattern, destination.readLatest()),
  };
}

function published(manifest: Manifest, version: string): ManifestEntry {
  const entry = findVersion(manifest.entries, version);
  if (entry !== undefined) return entry;
  throw new TakoError('UNKNOWN_VERSION', `version ${version} is not in the manifest`, { hint: 'see "tako list"' });
}

function assertMatches(config: Config, entry: ManifestEntry): void {
  if (matches(config.pattern, entry.version)) return;
  throw new TakoError(
    'UNKNOWN_VERSION',
    `version ${entry.version.text} does not match Version=${config.pattern.text}`,
    {
      hint: 'change Version= first: it says which versions this host may have',
    },
  );
}
