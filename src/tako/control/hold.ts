/** `tako hold` and `tako unhold`: stay with one version, and go on again. */
import { jsonTime } from '../../base/json.ts';
import type { Config } from '../config/config.ts';
import type { Mark, State } from '../destination/state.ts';
import { TakoError } from '../error.ts';
import type { ManifestEntry } from '../manifest/manifest.ts';
import { type SettlePorts, underLock } from '../update/settle.ts';
import { assertMatches, type Held, look, published, withDestination } from './held.ts';

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
    if (dryRun) return (await decide(await look(destination, config, dryRun, ports, signal))).answer;
    return underLock(destination, ports, signal, async () => {
      const { answer, state } = await decide(await look(destination, config, dryRun, ports, signal));
      await destination.writeState(state);
      return answer;
    });
  });
}
