/** What a run would do, found out without writing anything and without a lock. */

import { inspectImage, missingBytes } from '../destination/images.ts';
import { fetchedBefore, readLocalManifest } from '../destination/local-manifest.ts';
import type { State } from '../destination/state.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { isWindowOpen, newestStored, type Result, type Run, report } from './advance.ts';
import { chooseCandidates } from './candidates.ts';
import { receiveManifest } from './receive-manifest.ts';

export async function planUpdate(run: Run, signal: AbortSignal): Promise<Result> {
  const { destination, config, options } = run;
  const state = await destination.readState(run.warn);
  const manifest = await manifestOf(run, state, signal);
  const latest = destination.readLatest();
  const choice = chooseCandidates(manifest.entries, config.pattern, latest, state);
  const available = choice.candidates.find((candidate) => !state.withdrawn.includes(candidate.sha256));
  const entry = options.mode === 'apply' ? await newestStored(run, choice, signal) : available;
  if (entry === undefined) return report('no-candidate', manifest, choice, undefined);
  const condition = await inspectImage(destination.store, entry, options.verifyStored, signal);
  if (condition === 'whole' && latest === entry.sha256) {
    const { restart = [], reload = [] } = options.init ? {} : (state.owed ?? {});
    return { ...report('unchanged', manifest, choice, entry), restarted: restart, reloaded: reload };
  }
  const bytes = condition === 'whole' ? 0 : missingBytes(destination.store, entry);
  const plan = { ...report('would-update', manifest, choice, entry), bytes };
  if (latest === entry.sha256 || options.init) return plan;
  const waits = options.mode === 'stage' || (options.mode === 'fetch' && !isWindowOpen(config, run.ports.now()));
  if (waits) return { ...plan, outcome: 'would-stage' };
  return { ...plan, restarted: config.restart, reloaded: config.reload };
}

async function manifestOf(run: Run, state: State, signal: AbortSignal): Promise<Manifest> {
  const { config, destination, ports } = run;
  const stored = readLocalManifest(destination, config.publicKeys, run.warn);
  if (run.options.mode === 'apply') return fetchedBefore(stored, destination);
  const known = stored && { manifest: stored, etag: state.etag, origin: state.origin };
  return (await receiveManifest(known, { ...ports, keys: config.publicKeys }, signal)).manifest;
}
