/** What a run would do, found out without writing anything and without a lock. */
import { type Result, type Run, report } from './advance.ts';
import { chooseCandidates } from './candidates.ts';
import { inspectImage, missingBytes } from './images.ts';
import { readLocalManifest } from './local-manifest.ts';
import { receiveManifest } from './receive-manifest.ts';

export async function planUpdate(run: Run, signal: AbortSignal): Promise<Result> {
  const { destination, config, ports } = run;
  const state = await destination.readState(run.warn);
  const stored = readLocalManifest(destination, config.publicKeys, run.warn);
  const known = stored && { manifest: stored, etag: state.etag, origin: state.origin };
  const { manifest } = await receiveManifest(known, { ...ports, keys: config.publicKeys }, signal);
  const latest = destination.readLatest();
  const choice = chooseCandidates(manifest.entries, config.pattern, latest, state);
  const [entry] = choice.candidates;
  if (entry === undefined) return report('no-candidate', manifest, choice, undefined);
  const condition = await inspectImage(destination.store, entry, run.options.verifyStored, signal);
  if (condition === 'whole' && latest === entry.sha256) return report('unchanged', manifest, choice, entry);
  const bytes = condition === 'whole' ? 0 : missingBytes(destination.store, entry);
  const restarts = latest !== entry.sha256 && !run.options.init;
  return {
    ...report('would-update', manifest, choice, entry),
    bytes,
    restarted: restarts ? config.restart : [],
    reloaded: restarts ? config.reload : [],
  };
}
