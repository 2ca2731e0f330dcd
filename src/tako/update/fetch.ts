/** `tako fetch` for one configuration: the whole way from the origin to units that run the new image. */
import { codeOf } from '../../base/error.ts';
import type { Config } from '../config/config.ts';
import { openDestination } from '../destination/destination.ts';
import { advance, type Result, type Run, type RunOptions, type RunPorts } from './advance.ts';
import { collectGarbage } from './collect.ts';
import { findInstalled } from './installed.ts';
import { planUpdate } from './plan.ts';
import { settle, underLock } from './settle.ts';

export interface FetchOptions extends RunOptions {
  /** Say what would be done, change nothing. */
  readonly dryRun: boolean;
}

/** @throws CodedError whatever stopped it; what is linked and what is stored stays usable */
export async function fetchImage(
  config: Config,
  options: FetchOptions,
  ports: RunPorts,
  signal: AbortSignal,
): Promise<Result> {
  const warn = (text: string): void => ports.progress({ kind: 'warning', text });
  if (options.init) {
    const entry = await findInstalled(config, options.verifyStored, warn, signal);
    if (entry !== undefined) return { ...NOTHING_DONE, outcome: 'present', entry };
  }
  const destination = openDestination(config.destination, 'refuse');
  try {
    const run: Run = { config, options, ports, destination, warn };
    return options.dryRun ? await planUpdate(run, signal) : await update(run, signal);
  } finally {
    destination.close();
  }
}

const NOTHING_DONE = {
  previous: undefined,
  newest: undefined,
  published: [],
  bytes: 0,
  restarted: [],
  reloaded: [],
  removed: [],
};

/** Pay what an earlier run owes, then fetch and switch under the lock, then restart without it. */
async function update(run: Run, signal: AbortSignal): Promise<Result> {
  const { destination, config, ports } = run;
  let debt: 'unknown' | 'looked at' = run.options.init ? 'looked at' : 'unknown';
  let failed: unknown;
  let paid: Pick<Result, 'restarted' | 'reloaded'> | undefined;
  for (;;) {
    const step = await underLock(destination, ports, signal, () => advance(run, debt === 'unknown', signal));
    if (step.kind === 'done') {
      // What the earlier run owed still holds, unless a newer image has taken its place.
      if (failed !== undefined) throw failed;
      return { ...step.result, ...paid };
    }
    const place = { destination, config, manifest: step.manifest };
    if (step.kind === 'switched' && run.options.init) return step.result; // older debts are the next run's
    if (step.kind === 'switched') {
      const { restarted, reloaded } = await settle(place, step.state, ports, signal);
      const removed = await underLock(destination, ports, signal, () => collectGarbage(run, step.manifest));
      return { ...step.result, restarted, reloaded, removed };
    }
    ports.progress({ kind: 'note', text: 'units of an earlier run are still to be restarted: doing it now' });
    debt = 'looked at';
    try {
      const { restarted, reloaded } = await settle(place, step.state, ports, signal);
      paid = { restarted, reloaded };
    } catch (error) {
      if (signal.aborted || codeOf(error) === undefined) throw error;
      failed = error;
    }
  }
}
