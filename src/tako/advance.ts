/** What a run does under the lock of its destination: manifest, image, link; no unit is touched here. */
import { codeOf } from '../base/error.ts';
import { decodeTime, jsonTime } from '../base/json.ts';
import { plural } from '../base/text.ts';
import { processIdentity } from '../linux/process-identity.ts';
import { formatTimeSpan } from '../systemd/index.ts';
import { type Choice, chooseCandidates } from './candidates.ts';
import { collectGarbage, removeLeftovers } from './collect.ts';
import type { Config } from './config.ts';
import type { Destination } from './destination.ts';
import { TakoError } from './error.ts';
import { downloadImage, inspectImage } from './images.ts';
import { readLocalManifest } from './local-manifest.ts';
import type { Manifest, ManifestEntry } from './manifest.ts';
import type { Origin } from './origin.ts';
import { type Received, receiveManifest } from './receive-manifest.ts';
import { isBeingSettled, recoverDebt, type SettlePorts, switchImage } from './settle.ts';
import type { State } from './state.ts';

export interface RunOptions {
  /** An image must be there afterwards; units are left alone, for this may run inside the start of one. */
  readonly init: boolean;
  /** Hash the stored image again; never affects signatures, sizes or downloads. */
  readonly verifyStored: boolean;
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

export type Outcome = 'updated' | 'unchanged' | 'present' | 'no-candidate' | 'busy' | 'would-update';

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
  const recovered = await recoverDebt(destination, stored, found, signal);
  if (payDebts && recovered.owed !== null && stored !== undefined) {
    const state: State = { ...recovered, owed: { ...recovered.owed, runner: processIdentity() } };
    await destination.writeState(state);
    return { kind: 'debt', manifest: stored, state };
  }

  const known = stored && { manifest: stored, etag: recovered.etag, origin: recovered.origin };
  const received = await receiveManifest(known, { ...ports, keys: run.config.publicKeys }, signal);
  const { manifest } = received;
  const state = await remember(run, recovered, stored, received);
  const choice = chooseCandidates(manifest.entries, run.config.pattern, destination.readLatest(), state);
  removeLeftovers(destination, new Set(choice.candidates.map((entry) => entry.sha256)), ports.now());
  const { entry, bytes } = await acquire(run, choice, signal);
  if (entry === undefined) {
    if (options.init) throw noCandidate(run, manifest.entries, choice);
    return { kind: 'done', result: report('no-candidate', manifest, choice, undefined) };
  }
  if (destination.readLatest() === entry.sha256) {
    const removed = await collectGarbage(run, manifest);
    return { kind: 'done', result: { ...report('unchanged', manifest, choice, entry), bytes, removed } };
  }
  const change = { to: entry, from: choice.current, reason: 'update', restart: !options.init } as const;
  const switched = await switchImage(destination, run.config, state, change, ports.now());
  return {
    kind: 'switched',
    manifest,
    state: switched,
    result: { ...report('updated', manifest, choice, entry), bytes },
  };
}

export function report(outcome: Outcome, manifest: Manifest, choice: Choice, entry: ManifestEntry | undefined): Result {
  return {
    outcome,
    entry,
    previous: choice.current,
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

/** Store a manifest that is new, and note when this was. The manifest comes first: it must never be older than its tag. */
async function remember(run: Run, before: State, stored: Manifest | undefined, received: Received): Promise<State> {
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
  const state: State = { ...before, etag, origin, checkedAt: jsonTime(now), changedAt };
  await destination.writeState(state);
  return state;
}

/** Get the first candidate that is not withdrawn into the store, whole. */
async function acquire(
  run: Run,
  choice: Choice,
  signal: AbortSignal,
): Promise<{ readonly entry: ManifestEntry | undefined; readonly bytes: number }> {
  for (const entry of choice.candidates) {
    try {
      return { entry, bytes: await bring(run, entry, signal) };
    } catch (error) {
      if (codeOf(error) !== 'HTTP_GONE') throw error;
      run.warn(`image ${entry.version.text} was withdrawn by the publisher (410): trying the next older one`);
    }
  }
  return { entry: undefined, bytes: 0 };
}

/** @returns bytes that came over the wire: none when the image is there and whole */
async function bring(run: Run, entry: ManifestEntry, signal: AbortSignal): Promise<number> {
  const { destination, ports, options } = run;
  const condition = await inspectImage(destination.store, entry, options.verifyStored, signal);
  if (condition === 'whole') return 0;
  if (condition === 'damaged') {
    run.warn(`stored image ${entry.version.text} is damaged: removed, fetching it again`);
    destination.store?.unlink(entry.sha256); // better no image than a wrong one
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
