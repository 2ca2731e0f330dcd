/**
 * From "another image is wanted" to "it is linked and its units run": the switch of `latest`, the restarts that it
 * owes, the look at their health, and the way back.
 *
 * The debt (`state.owed`) is written before the link is switched and removed when everything is done, so that a run
 * that was killed anywhere in between is finished by the next one. No lock is held while units restart: what they
 * run in their own start may be `tako fetch --init`.
 */
import { codeOf, explain } from '../../base/error.ts';
import { jsonTime } from '../../base/json.ts';
import type { Progress } from '../../base/progress.ts';
import { isAlive, processIdentity } from '../../linux/processes/process-identity.ts';
import type { Config } from '../config/config.ts';
import type { Destination, LockWait } from '../destination/destination.ts';
import { inspectImage } from '../destination/images.ts';
import type { HistoryEntry, Mark, Owed, State } from '../destination/state.ts';
import { TakoError } from '../error.ts';
import type { Manifest, ManifestEntry } from '../manifest/manifest.ts';
import { checkHealth, type HealthPorts } from './health.ts';

export interface SettlePorts extends HealthPorts {
  readonly now: () => number;
  readonly progress: Progress;
  readonly wait: LockWait;
}

/** Is another, living process restarting units for this destination? */
export function isBeingSettled(state: State): boolean {
  const runner = state.owed?.runner;
  return runner != null && runner.pid !== process.pid && isAlive(runner);
}

/**
 * Link another image. The caller holds the lock and has verified the image.
 * @returns the state with the debt, as written
 */
export async function switchImage(
  destination: Destination,
  config: Config,
  state: State,
  change: {
    readonly to: ManifestEntry;
    readonly from: ManifestEntry | undefined;
    readonly reason: Owed['reason'];
    readonly restart: boolean;
  },
  now: number,
): Promise<State> {
  const { to, from, reason } = change;
  const linked = destination.readLatest() ?? null;
  const at = jsonTime(now);
  const history = withResult(state.history, 'restart failed'); // what is still pending never came to its end
  const owed: Owed = {
    // Without restarts of its own, a switch hands on what an earlier one still owes.
    restart: change.restart ? config.restart : (state.owed?.restart ?? []),
    reload: change.restart ? config.reload : (state.owed?.reload ?? []),
    image: to.sha256,
    previous: reason === 'update' ? wayBack(state, linked) : linked,
    reason,
    at,
    runner: change.restart ? processIdentity() : null,
  };
  const entry: HistoryEntry = {
    at,
    action: reason === 'update' && linked === null ? 'install' : reason,
    version: to.version.text,
    sha256: to.sha256,
    previousVersion: from?.version.text ?? null,
    result: 'pending',
  };
  const indebted: State = { ...state, owed, history: [...history, entry] };
  await destination.writeState(indebted);
  destination.switchLatest(to.sha256);
  return indebted;
}

/** What is linked, unless it was never proven or was found unhealthy: then what was linked before it. */
function wayBack({ owed, history, previous }: State, linked: string | null): string | null {
  if (owed !== null && owed.image === linked) return owed.previous;
  const last = history.findLast((entry) => entry.sha256 === linked);
  return last?.result === 'health failed' ? previous : linked;
}

/** The debt is paid: what was linked before is the way back from now on. The caller holds the lock. */
export async function closeDebt(
  destination: Destination,
  state: State,
  result: HistoryEntry['result'],
  now: number,
): Promise<State> {
  const { owed } = state;
  if (owed === null) return state;
  // What failed its health check is no way back either: the one before it stays.
  const previous = owed.reason === 'health' ? state.previous : (owed.previous ?? state.previous);
  const succeededAt = result === 'done' && owed.reason !== 'health' ? jsonTime(now) : state.succeededAt;
  const settled: State = { ...state, owed: null, previous, succeededAt, history: withResult(state.history, result) };
  await destination.writeState(settled);
  return settled;
}

/**
 * Bring link and debt of a killed run together. The caller holds the lock.
 * An update that was not linked yet never happened; a way back that was decided is gone to the end.
 */
export async function recoverDebt(
  destination: Destination,
  manifest: Manifest | undefined,
  state: State,
  dryRun: boolean,
  signal: AbortSignal,
): Promise<State> {
  const { owed } = state;
  if (owed === null || destination.readLatest() === owed.image) return state;
  const entry = manifest?.entries.find((candidate) => candidate.sha256 === owed.image);
  const decided = owed.reason !== 'update' && entry !== undefined;
  if (decided && (await inspectImage(destination.store, entry, true, signal)) === 'whole') {
    if (!dryRun) destination.switchLatest(owed.image);
    return state;
  }
  return { ...state, owed: null, history: state.history.filter((done) => done.result !== 'pending') };
}

/** Say who is about to pay a debt that a killed run left, so that nobody else does. The caller holds the lock. */
export async function claimDebt(destination: Destination, state: State): Promise<State> {
  if (state.owed === null) return state;
  const claimed: State = { ...state, owed: { ...state.owed, runner: processIdentity() } };
  await destination.writeState(claimed);
  return claimed;
}

export interface Settled {
  readonly restarted: readonly string[];
  readonly reloaded: readonly string[];
  readonly state: State;
}

interface Situation {
  readonly destination: Destination;
  readonly config: Config;
  readonly manifest: Manifest;
}

/**
 * Pay what a switch owes: restart, reload, watch; on failure link the earlier image again. Called without the lock.
 * @throws TakoError RESTART_FAILED (the debt stays), HEALTH_FAILED (the earlier image is linked again, if there is one)
 */
export async function settle(
  place: Situation,
  state: State,
  ports: SettlePorts,
  signal: AbortSignal,
): Promise<Settled> {
  const { owed } = state;
  if (owed === null) return { restarted: [], reloaded: [], state };
  const flaw = await restartAndWatch(place, owed, ports, signal);
  if (flaw === undefined) {
    const settled = await underLock(place.destination, ports, signal, async () => {
      const fresh = await place.destination.readState(quiet);
      return sameDebt(fresh, owed) ? closeDebt(place.destination, fresh, 'done', ports.now()) : fresh;
    });
    return { restarted: owed.restart, reloaded: owed.reload, state: settled };
  }
  return goBack(place, owed, flaw, ports, signal);
}

/** @returns what is wrong with the units or the check; undefined when all is well */
async function restartAndWatch(
  { config, destination, manifest }: Situation,
  owed: Owed,
  ports: SettlePorts,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    if (owed.restart.length > 0) await ports.units.restart(owed.restart, signal);
    if (owed.reload.length > 0) await ports.units.reload(owed.reload, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    // Only an update can be blamed on its image and undone; everything else is tried again.
    const mayBlame = owed.reason === 'update' && owed.previous !== null;
    if (mayBlame && (await haveFailed([...owed.restart, ...owed.reload], ports, signal))) {
      return explain(error);
    }
    throw new TakoError('RESTART_FAILED', `the image is linked, but its units were not restarted: ${explain(error)}`, {
      hint: 'the next run tries the restart again',
      cause: error,
    });
  }
  const version = versionOf(manifest, owed.image);
  const image = `${destination.path}/store/${owed.image}`;
  return checkHealth({ ...config, restart: owed.restart, reload: owed.reload }, { version, image }, ports, signal);
}

/** Did a unit that systemd knows fail to run? Otherwise the fault lies with systemctl or the unit's name, not the image. */
async function haveFailed(units: readonly string[], ports: SettlePorts, signal: AbortSignal): Promise<boolean> {
  try {
    const found = await ports.units.show(units, signal);
    return found.every((unit) => unit.loadState === 'loaded') && found.some((unit) => unit.activeState !== 'active');
  } catch (error) {
    if (codeOf(error) === 'SYSTEMCTL_FAILED' || codeOf(error) === 'PROGRAM_MISSING') return false;
    throw error;
  }
}

/** Why a failed image stays linked. */
const NOWHERE: Readonly<Record<Owed['reason'], string>> = {
  update: 'there is no earlier image to go back to, it stays linked',
  rollback: 'it was asked for by "tako rollback" and stays linked',
  health: 'it is the image that was gone back to and stays linked',
};

async function goBack(
  place: Situation,
  owed: Owed,
  flaw: string,
  ports: SettlePorts,
  signal: AbortSignal,
): Promise<never> {
  const { destination, config, manifest } = place;
  const bad = versionOf(manifest, owed.image);
  const back = await underLock(destination, ports, signal, async () => {
    const fresh = await destination.readState(quiet);
    if (!sameDebt(fresh, owed)) return 'taken over';
    const to = owed.reason === 'update' ? manifest.entries.find((entry) => entry.sha256 === owed.previous) : undefined;
    if (to === undefined || (await inspectImage(destination.store, to, true, signal)) !== 'whole') {
      await closeDebt(destination, fresh, 'health failed', ports.now());
      return 'nowhere';
    }
    const mark: Mark = { version: bad, reason: 'health', at: jsonTime(ports.now()) };
    const failed = {
      ...fresh,
      skip: [...fresh.skip.filter((other) => other.version !== bad), mark],
      hold: fresh.hold?.version === bad ? null : fresh.hold, // it would be tried again in every run
      history: withResult(fresh.history, 'health failed'),
    };
    const from = manifest.entries.find((entry) => entry.sha256 === owed.image);
    const state = await switchImage(
      destination,
      config,
      failed,
      { to, from, reason: 'health', restart: true },
      ports.now(),
    );
    return { to, state };
  });
  if (back === 'taken over') {
    throw new TakoError('HEALTH_FAILED', `${bad}: ${flaw}; another run has dealt with it since`);
  }
  if (back === 'nowhere') {
    throw new TakoError('HEALTH_FAILED', `${bad}: ${flaw}; ${NOWHERE[owed.reason]}`);
  }
  const good = back.to.version.text;
  try {
    await settle(place, back.state, ports, signal);
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new TakoError('HEALTH_FAILED', `${bad}: ${flaw}; went back to ${good}, which does not run either`, { cause });
  }
  throw new TakoError('HEALTH_FAILED', `${bad}: ${flaw}; went back to ${good}, which runs again`, {
    hint: `${bad} is skipped until a newer version appears, or until "tako unhold ${config.path}"`,
  });
}

export async function underLock<T>(
  destination: Destination,
  ports: Pick<SettlePorts, 'wait'>,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const lock = await destination.lock(ports.wait, signal);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function withResult(history: readonly HistoryEntry[], result: HistoryEntry['result']): HistoryEntry[] {
  return history.map((entry) => (entry.result === 'pending' ? { ...entry, result } : entry));
}

function sameDebt(state: State, owed: Owed): boolean {
  return state.owed !== null && state.owed.at === owed.at && state.owed.image === owed.image;
}

function versionOf(manifest: Manifest, sha256: string): string {
  return manifest.entries.findLast((entry) => entry.sha256 === sha256)?.version.text ?? sha256.slice(0, 12);
}

/** The state was read, and any trouble with it reported, a moment ago. */
const quiet = (): void => undefined;
