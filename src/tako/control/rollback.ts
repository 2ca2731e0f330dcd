/** `tako rollback`: back to an earlier image, for as long as nothing newer appears. */
import { jsonTime } from '../../base/json.ts';
import { compareVersions, matches, parseVersion } from '../../version/index.ts';
import type { Config } from '../config/config.ts';
import { inspectImage } from '../destination/images.ts';
import type { Mark, State } from '../destination/state.ts';
import { TakoError } from '../error.ts';
import { hasVersion, type ManifestEntry } from '../manifest/manifest.ts';
import { listImages } from '../update/collect.ts';
import { claimDebt, type SettlePorts, settle, switchImage, underLock } from '../update/settle.ts';
import { assertMatches, type Held, look, published, withDestination } from './held.ts';

export interface RolledBack {
  /** `unchanged`: the named version was linked already. */
  readonly outcome: 'rolled-back' | 'unchanged';
  readonly from: ManifestEntry;
  readonly to: ManifestEntry;
  readonly restarted: readonly string[];
  readonly reloaded: readonly string[];
}

/** What is to be done: `resume` goes on with a rollback that was killed before its units were restarted. */
interface Decision {
  readonly kind: 'switch' | 'resume' | 'nothing';
  readonly held: Held;
  readonly plan: RolledBack;
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
    const decided = async (): Promise<Decision> =>
      decide(await look(destination, config, dryRun, ports, signal), config, version, signal);
    if (dryRun) return (await decided()).plan;
    const { plan, held, state } = await underLock(destination, ports, signal, async () => {
      const decision = await decided();
      return { ...decision, state: await carryOut(decision, config, ports.now()) };
    });
    if (plan.outcome !== 'unchanged') {
      await settle({ destination, config, manifest: held.manifest }, state, ports, signal);
    }
    return plan;
  });
}

async function decide(held: Held, config: Config, version: string | undefined, signal: AbortSignal): Promise<Decision> {
  const { destination, manifest, state, current } = held;
  if (current === undefined) throw new TakoError('IMAGE_MISSING', `${destination.path}: no image is linked`);
  const isThere = version !== undefined && compareVersions(parseVersion(version), current.version) === 0;
  const units = { restarted: config.restart, reloaded: config.reload };
  const { owed } = state;
  if (owed?.reason === 'rollback' && (version === undefined || isThere)) {
    const from = manifest.entries.find((entry) => entry.sha256 === owed.previous) ?? current;
    return { kind: 'resume', held, plan: { outcome: 'rolled-back', from, to: current, ...units } };
  }
  if (isThere) {
    return {
      kind: 'nothing',
      held,
      plan: { outcome: 'unchanged', from: current, to: current, restarted: [], reloaded: [] },
    };
  }
  const to = await chooseEarlier(held, current, config, version, signal);
  return { kind: 'switch', held, plan: { outcome: 'rolled-back', from: current, to, ...units } };
}

/** The caller holds the lock. */
async function carryOut({ kind, held, plan }: Decision, config: Config, now: number): Promise<State> {
  const { destination, state } = held;
  if (kind === 'nothing') return state;
  if (kind === 'resume') return claimDebt(destination, state);
  const marked = markLeft(state, plan, jsonTime(now));
  const change = { to: plan.to, from: plan.from, reason: 'rollback', restart: true } as const;
  return switchImage(destination, config, marked, change, now);
}

async function chooseEarlier(
  held: Held,
  current: ManifestEntry,
  config: Config,
  version: string | undefined,
  signal: AbortSignal,
): Promise<ManifestEntry> {
  const { destination, manifest } = held;
  const to = version === undefined ? earlier(held, current, config) : published(manifest, version);
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
  return to;
}

/** The previous image when it is an earlier one, else the newest earlier one that is stored, allowed and not skipped. */
function earlier({ destination, manifest, state }: Held, current: ManifestEntry, config: Config): ManifestEntry {
  const choices = listImages(destination.store, manifest.entries)
    .flatMap((image) => (image.entry === undefined ? [] : [image.entry]))
    .filter((entry) => compareVersions(entry.version, current.version) < 0)
    .filter(
      (entry) => matches(config.pattern, entry.version) && !state.skip.some((mark) => hasVersion(entry, mark.version)),
    );
  // While an update is not settled, what it replaced is in its debt.
  const previous = state.owed?.previous ?? state.previous;
  const found = choices.find((entry) => entry.sha256 === previous) ?? choices.at(-1);
  if (found !== undefined) return found;
  throw new TakoError('IMAGE_MISSING', `${destination.path}: no earlier image that Version= allows is stored`, {
    hint: 'KeepVersions= says how many images are kept',
  });
}

/** Skip what was left; a hold on it would bring it back. */
function markLeft(state: State, { from, to }: RolledBack, at: string): State {
  const mark: Mark = { version: from.version.text, reason: 'rollback', at };
  const skip = [
    ...state.skip.filter((other) => !hasVersion(from, other.version) && !hasVersion(to, other.version)),
    mark,
  ];
  return { ...state, skip, hold: state.hold !== null && hasVersion(to, state.hold.version) ? state.hold : null };
}
