/** What a run does under the lock of its destination: manifest, image, link; no unit is touched here. */
import { codeOf } from '../../base/error.ts';
import { decodeTime, jsonTime } from '../../base/json.ts';
import { plural } from '../../base/text.ts';
import { formatTimeSpan } from '../../base/time-span.ts';
import { matchesCalendar } from '../../systemd/index.ts';
import type { Config } from '../config/config.ts';
import type { Destination } from '../destination/destination.ts';
import { inspectImage } from '../destination/images.ts';
import { fetchedBefore, readLocalManifest } from '../destination/local-manifest.ts';
import type { State } from '../destination/state.ts';
import { TakoError } from '../error.ts';
import type { Manifest, ManifestEntry } from '../manifest/manifest.ts';
import { type Choice, chooseCandidates } from './candidates.ts';
import { collectGarbage, removeLeftovers } from './collect.ts';
import { downloadImage } from './download.ts';
import { assertCheckRuns } from './health.ts';
import type { Origin } from './origin.ts';
import { type Received, receiveManifest } from './receive-manifest.ts';
import { claimDebt, closeDebt, isBeingSettled, recoverDebt, type SettlePorts, switchImage } from './settle.ts';

export interface RunOptions {
  /** An image must be there afterwards; units are left alone, for this may run inside the start of one. */
  readonly init: boolean;
  /** Hash the stored image again; never affects signatures, sizes or downloads. */
  readonly verifyStored: boolean;
  /** `fetch` all of it; `stage` ends before the switch; `apply` begins after the download and needs no network. */
  readonly mode: 'fetch' | 'stage' | 'apply';
}

export interface RunPorts extends SettlePorts {
  readonly origins: readonly Origin[];
  /** How grave an error is, when several origins failed: larger is worse. */
  readonly gravity: (error: unknown) => number;
}

/** One configuration on its way. */
export interface Run {
  readonly config: Config;
  readonly options: RunOptions;
  readonly ports: RunPorts;
  readonly destination: Destination;
  readonly warn: (text: string) => void;
}

export type Outcome =
  | 'updated'
  | 'unchanged'
  | 'present'
  | 'no-candidate'
  | 'busy'
  | 'staged'
  | 'would-stage'
  | 'would-update';

export interface Result {
  readonly outcome: Outcome;
  readonly entry: ManifestEntry | undefined;
  /** What was linked before. */
  readonly previous: ManifestEntry | undefined;
  /** The newest image that the pattern allows, whatever is held, skipped or withdrawn. */
  readonly newest: ManifestEntry | undefined;
  readonly published: readonly ManifestEntry[];
  /** Bytes of images that came over the wire, or that would come in a dry run. */
  readonly bytes: number;
  readonly restarted: readonly string[];
  readonly reloaded: readonly string[];
  /** Digests of images that were collected. */
  readonly removed: readonly string[];
}

export type Step =
  /** An earlier run was killed before its units were restarted; that comes first. */
  | { readonly kind: 'debt'; readonly manifest: Manifest; readonly state: State }
  | { readonly kind: 'switched'; readonly manifest: Manifest; readonly state: State; readonly result: Result }
  | { readonly kind: 'done'; readonly result: Result };

export async function advance(run: Run, payDebts: boolean, signal: AbortSignal): Promise<Step> {
  const { destination, options, ports } = run;
  const found = await destination.readState(run.warn);
  if (isBeingSettled(found) && !options.init) return { kind: 'done', result: busy(run, found) };
  const stored = readLocalManifest(destination, run.config.publicKeys, run.warn);
  const recovered = await recoverDebt(destination, stored, found, false, signal);
  if (payDebts && mayPay(run, recovered) && stored !== undefined) {
    return { kind: 'debt', manifest: stored, state: await claimDebt(destination, recovered) };
  }
  if (payDebts && recovered.owed !== null) {
    ports.progress({ kind: 'note', text: 'units are still to be restarted: waiting for the maintenance window' });
  }
  const { manifest, state: refreshed } = await refresh(run, stored, recovered, signal);
  const choice = chooseCandidates(manifest.entries, run.config.pattern, destination.readLatest(), refreshed);
  const { entry, bytes, withdrawn } = await obtain(run, choice, refreshed, signal);
  const state: State = { ...refreshed, withdrawn };
  // While restarts are owed, nothing has ended well.
  const succeeded: State = state.owed === null ? { ...state, succeededAt: jsonTime(ports.now()) } : state;
  if (entry === undefined) {
    await destination.writeState(options.init ? state : succeeded);
    if (options.init) throw noCandidate(run, manifest.entries, choice);
    return { kind: 'done', result: report('no-candidate', manifest, choice, undefined) };
  }
  const isLinked = destination.readLatest() === entry.sha256;
  if (isLinked || !maySwitch(run)) {
    await destination.writeState(succeeded);
    const removed = await collectGarbage(run, manifest);
    const outcome = isLinked ? 'unchanged' : 'staged';
    return { kind: 'done', result: { ...report(outcome, manifest, choice, entry), bytes, removed } };
  }
  return link(run, { manifest, choice, entry, bytes, state });
}

/** The manifest to go by, and the state that belongs to it. */
async function refresh(
  run: Run,
  stored: Manifest | undefined,
  state: State,
  signal: AbortSignal,
): Promise<{ readonly manifest: Manifest; readonly state: State }> {
  if (run.options.mode === 'apply') {
    return { manifest: fetchedBefore(stored, run.destination), state };
  }
  const known = stored && { manifest: stored, etag: state.etag, origin: state.origin };
  const received = await receiveManifest(known, { ...run.ports, keys: run.config.publicKeys }, signal);
  return { manifest: received.manifest, state: remember(run, state, stored, received) };
}

/** The image to link, whole in the store. What was found out about the manifest is kept even when this fails. */
async function obtain(run: Run, choice: Choice, state: State, signal: AbortSignal): Promise<Obtained> {
  if (run.options.mode === 'apply') {
    return { entry: await newestStored(run, choice, signal), bytes: 0, withdrawn: state.withdrawn };
  }
  removeLeftovers(run.destination, choice.candidates, run.ports.now());
  try {
    return await acquire(run, choice, signal);
  } catch (error) {
    await run.destination.writeState(state);
    throw error;
  }
}

interface Obtained {
  readonly entry: ManifestEntry | undefined;
  /** Bytes that came over the wire. */
  readonly bytes: number;
  /** Digests of candidates that the publisher has withdrawn. */
  readonly withdrawn: readonly string[];
}

async function link(
  run: Run,
  {
    manifest,
    choice,
    entry,
    bytes,
    state,
  }: { bytes: number; entry: ManifestEntry; manifest: Manifest; choice: Choice; state: State },
): Promise<Step> {
  const { destination, options, ports } = run;
  if (!options.init) assertCheckRuns(run.config);
  const change = { to: entry, from: choice.current, reason: 'update', restart: !options.init } as const;
  const switched = await switchImage(destination, run.config, state, change, ports.now());
  const result = { ...report('updated', manifest, choice, entry), bytes };
  const { owed } = switched;
  if (!options.init || owed === null) return { kind: 'switched', manifest, state: switched, result };
  // Nothing restarts here; what an earlier run still owes is left to the next one that may.
  if (owed.restart.length + owed.reload.length === 0) await closeDebt(destination, switched, 'done', ports.now());
  return { kind: 'done', result };
}

/** Outside the maintenance window images are fetched, and nothing is switched or restarted. */
function maySwitch({ options, config, ports }: Run): boolean {
  if (options.init || options.mode === 'apply') return true;
  return options.mode === 'fetch' && isWindowOpen(config, ports.now());
}

export function isWindowOpen(config: Config, now: number): boolean {
  const { maintenanceWindows } = config;
  return maintenanceWindows.length === 0 || maintenanceWindows.some((window) => matchesCalendar(window, now));
}

/** An update waits for its window with its restarts; a way back does not wait. */
function mayPay(run: Run, { owed }: State): boolean {
  return owed !== null && (owed.reason !== 'update' || maySwitch(run));
}

export function report(outcome: Outcome, manifest: Manifest, choice: Choice, entry: ManifestEntry | undefined): Result {
  return {
    outcome,
    entry,
    previous: choice.current?.sha256 === entry?.sha256 ? undefined : choice.current,
    newest: choice.newest,
    published: manifest.entries,
    bytes: 0,
    restarted: [],
    reloaded: [],
    removed: [],
  };
}

function busy(run: Run, state: State): Result {
  const pid = state.owed?.runner?.pid;
  run.ports.progress({
    kind: 'note',
    text: `process ${pid} is restarting the units of this destination: leaving it alone`,
  });
  const none = { previous: undefined, newest: undefined, published: [], restarted: [], reloaded: [], removed: [] };
  return { outcome: 'busy', entry: undefined, bytes: 0, ...none };
}

/**
 * Store a manifest that is new. The state that comes back is written later, never before the manifest: a tag that is
 * newer than the manifest would keep a host from ever getting it.
 */
function remember(run: Run, before: State, stored: Manifest | undefined, received: Received): State {
  const { destination, config, ports } = run;
  const now = ports.now();
  const isNew = stored === undefined || Buffer.compare(stored.bytes, received.manifest.bytes) !== 0;
  // Without memory, the file itself tells when it was written.
  const written = before.changedAt ?? jsonTime(destination.readManifest()?.modifiedMs ?? now);
  if (isNew) destination.writeManifest(received.manifest.bytes);
  const changedAt = isNew ? jsonTime(now) : written;
  const unchangedMs = now - (decodeTime(changedAt) ?? now);
  if (config.warnUnchangedMs !== undefined && unchangedMs > config.warnUnchangedMs) {
    run.warn(
      `the manifest has not changed for ${formatTimeSpan(unchangedMs)} (WarnUnchanged=): nothing new was published, or an old one is being served`,
    );
  }
  const { etag, origin } = received;
  const uncheckedLast = run.options.verifyStored ? [] : ['digest of the stored image (--no-verify)'];
  return { ...before, etag, origin, checkedAt: jsonTime(now), changedAt, uncheckedLast };
}

/** Get the first candidate that is not withdrawn into the store, whole. */
async function acquire(run: Run, choice: Choice, signal: AbortSignal): Promise<Obtained> {
  const withdrawn: string[] = [];
  for (const entry of choice.candidates) {
    try {
      return { entry, bytes: await bring(run, entry, signal), withdrawn };
    } catch (error) {
      if (codeOf(error) !== 'HTTP_GONE') throw error;
      withdrawn.push(entry.sha256);
      run.warn(`image ${entry.version.text} was withdrawn by the publisher (410): trying the next older one`);
    }
  }
  return { entry: undefined, bytes: 0, withdrawn };
}

/** The newest candidate that is stored; verified again, for it may have been staged long ago. */
export async function newestStored(run: Run, choice: Choice, signal: AbortSignal): Promise<ManifestEntry | undefined> {
  for (const entry of choice.candidates) {
    const condition = await inspectImage(run.destination.store, entry, true, signal);
    if (condition === 'whole') return entry;
    if (condition === 'damaged') run.warn(`stored image ${entry.version.text} is damaged: see "tako verify --repair"`);
  }
  return undefined;
}

/**
 * Make an image whole in the store; bytes that came over the wire come back.
 * @param damaged a damaged image that is to be linked goes at once, better none than a wrong one; one that is only kept
 *   stays until its replacement is there, for nothing else remembers that it was
 */
export async function bring(
  run: Run,
  entry: ManifestEntry,
  signal: AbortSignal,
  damaged: 'remove' | 'replace' = 'remove',
): Promise<number> {
  const { destination, ports, options } = run;
  const condition = await inspectImage(destination.store, entry, options.verifyStored, signal);
  if (condition === 'whole') return 0;
  if (condition === 'damaged') {
    const isFile = destination.store?.lstat(entry.sha256)?.isFile() === true;
    run.warn(`stored image ${entry.version.text} is damaged: fetching it again`);
    if (damaged === 'remove' || !isFile) destination.store?.unlink(entry.sha256);
  }
  return downloadImage({ ...ports, destination, entry }, signal);
}

function noCandidate(run: Run, published: readonly ManifestEntry[], choice: Choice): TakoError {
  const why =
    choice.candidates.length > 0
      ? `every image that matches ${run.config.pattern.text} was withdrawn`
      : `none of ${plural(published.length, 'published version')} matches ${run.config.pattern.text}`;
  return new TakoError('NO_CANDIDATE', why, { subject: run.config.path });
}
