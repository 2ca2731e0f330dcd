/**
 * Do units run, and go on running? A unit that fails and is started again by `Restart=` looks active in most
 * moments; its invocation and its restart counter tell.
 */
import { setTimeout } from 'node:timers/promises';
import { plural } from '../base/text.ts';
import type { UnitControl, UnitStatus } from './units.ts';

const POLL_MS = 500;

/**
 * Watch units that were just restarted or reloaded.
 * @param check asked after `durationMs`; the units must stand it, too
 * @returns what is wrong, or undefined when all were active, and the same run of theirs, from beginning to end
 */
export async function watchUnits(
  control: Pick<UnitControl, 'show'>,
  units: readonly string[],
  durationMs: number,
  signal: AbortSignal,
  check?: () => Promise<string | undefined>,
): Promise<string | undefined> {
  if (units.length === 0) return check?.();
  const end = Date.now() + durationMs;
  const first = await control.show(units, signal);
  for (let now = first; ; now = await control.show(units, signal)) {
    const flaw = flawAmong(now, first);
    const left = end - Date.now();
    if (flaw !== undefined) return flaw;
    if (left <= 0) break;
    await setTimeout(Math.min(POLL_MS, left), undefined, { signal });
  }
  if (check === undefined) return undefined;
  return (await check()) ?? flawAmong(await control.show(units, signal), first);
}

function flawAmong(now: readonly UnitStatus[], first: readonly UnitStatus[]): string | undefined {
  for (const [i, status] of now.entries()) {
    const flaw = flawOf(status, first[i] ?? status);
    if (flaw !== undefined) return `${status.unit} ${flaw}`;
  }
  return undefined;
}

function flawOf(now: UnitStatus, first: UnitStatus): string | undefined {
  // A unit that ran once and ended well is as healthy as it gets.
  const done = now.type === 'oneshot' && now.activeState === 'inactive' && now.result === 'success';
  if (done && now.invocation === first.invocation) return undefined;
  if (now.activeState !== 'active' && now.activeState !== 'reloading') {
    return `is ${now.activeState} (${now.subState}, result ${now.result})`;
  }
  if (now.restarts > first.restarts)
    return `did not stay up: systemd started it again (${plural(now.restarts - first.restarts, 'time')})`;
  if (now.invocation !== first.invocation) return 'did not stay up: it was started again';
  return undefined;
}
