/** A service under `systemctl`, step by step, each with the words as they stand in the log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../base/error.ts';
import { plural } from '../base/text.ts';
import { runProgram } from '../linux/processes/spawn.ts';
import { callOrThrow } from './call.ts';
import { systemctl, type UnitStatus } from './units.ts';

export interface ServiceControl {
  /**
   * `systemctl --user enable kvd`: a call as people write it, and as it is made. '' when nothing is run for it: for a
   * root that is not booted (`--offline`) nothing is reloaded, started or stopped; such a line is not logged.
   */
  line(...words: readonly string[]): string;
  daemonReload(signal: AbortSignal): Promise<void>;
  enable(unit: string, signal: AbortSignal): Promise<void>;
  /** `--now disable UNIT`: stops it, too. */
  disableNow(unit: string, signal: AbortSignal): Promise<void>;
  start(unit: string, signal: AbortSignal): Promise<void>;
  stop(unit: string, signal: AbortSignal): Promise<void>;
  resetFailed(unit: string, signal: AbortSignal): Promise<void>;
  /** The word that `is-active` prints: `active`, `inactive`, `failed`, `activating` ...; `unknown` without a manager. */
  activeState(unit: string, signal: AbortSignal): Promise<string>;
  /** The word that `is-enabled` prints: `enabled`, `disabled`, `static` ...; '' when the unit does not exist. */
  enabledState(unit: string, signal: AbortSignal): Promise<string>;
  /**
   * Undefined when the unit is active and stays so for `graceMs`, else what is wrong. Automatic restarts count as wrong
   * where `systemctl show` tells of them. A `Type=oneshot` that has ended well is well.
   */
  watch(unit: string, graceMs: number, signal: AbortSignal): Promise<string | undefined>;
}

/** `systemd-tmpfiles` on one fragment. */
export interface TmpfilesControl {
  /** As for services: '' when nothing is run for it. */
  line(...words: readonly string[]): string;
  create(fragment: string, signal: AbortSignal): Promise<void>;
  remove(fragment: string, signal: AbortSignal): Promise<void>;
}

export interface ControlOptions {
  /** The caller's own manager. */
  readonly user: boolean;
  /** A root that is not booted: `systemctl --root=DIR enable|disable UNIT`, and nothing else is run. */
  readonly offlineRoot?: string | undefined;
}

/** A unit may take its own TimeoutStartSec or TimeoutStopSec; a job that takes longer than this hangs. */
const JOB_TIMEOUT_MS = 15 * 60_000;
const ASK_TIMEOUT_MS = 30_000;
const POLL_MS = 500;

/** Calls throw CodedError SYSTEMCTL_FAILED, PROGRAM_MISSING; questions about states do not. */
export function serviceControl({ user, offlineRoot }: ControlOptions): ServiceControl {
  const words = (given: readonly string[]): string[] | undefined => {
    if (offlineRoot === undefined) return [...(user ? ['--user'] : []), ...given];
    const verb = given.find((word) => !word.startsWith('-')) ?? '';
    if (verb !== 'enable' && verb !== 'disable') return undefined;
    return [`--root=${offlineRoot}`, ...(user ? ['--user'] : []), ...given.filter((word) => word !== '--now')];
  };
  const change = async (given: readonly string[], unit: string, signal: AbortSignal): Promise<void> => {
    const args = words(given);
    if (args === undefined) return;
    const hint = unit === '' ? 'see "journalctl -b"' : `see "systemctl ${user ? '--user ' : ''}status ${unit}"`;
    const call = { program: 'systemctl', args, timeoutMs: JOB_TIMEOUT_MS, code: 'SYSTEMCTL_FAILED', hint } as const;
    await callOrThrow({ ...call, subject: unit || 'systemctl' }, { signal });
  };
  const ask = (given: readonly string[], signal: AbortSignal): Promise<Answer> =>
    askSystemctl([...(user ? ['--user'] : []), ...given], signal);
  const activeState = async (unit: string, signal: AbortSignal): Promise<string> => {
    if (offlineRoot !== undefined) return 'inactive';
    const { word, status } = await ask(['is-active', unit], signal);
    return word || (status === 0 ? 'active' : 'unknown');
  };
  return {
    line: (...given) => {
      const args = words(given);
      return args === undefined ? '' : ['systemctl', ...args].join(' ');
    },
    daemonReload: (signal) => change(['daemon-reload'], '', signal),
    enable: (unit, signal) => change(['enable', unit], unit, signal),
    disableNow: (unit, signal) => change(['--now', 'disable', unit], unit, signal),
    start: (unit, signal) => change(['start', unit], unit, signal),
    stop: (unit, signal) => change(['stop', unit], unit, signal),
    resetFailed: (unit, signal) => change(['reset-failed', unit], unit, signal),
    activeState,
    enabledState: async (unit, signal) => {
      const root = offlineRoot === undefined ? [] : [`--root=${offlineRoot}`];
      const { word, status } = await ask([...root, 'is-enabled', unit], signal);
      if (word === 'not-found') return '';
      return word || (status === 0 ? 'enabled' : '');
    },
    watch: async (unit, graceMs, signal) => {
      if (offlineRoot !== undefined) return undefined;
      const show = () => showIfTold(user, unit, signal);
      return await watchService({ activeState: () => activeState(unit, signal), show }, graceMs, signal);
    },
  };
}

interface Answer {
  /** First word of what was printed; '' when nothing was, or the program is not there. */
  readonly word: string;
  readonly status: number | null;
}

async function askSystemctl(args: readonly string[], signal: AbortSignal): Promise<Answer> {
  try {
    const { stdout, status } = await runProgram('systemctl', args, { timeoutMs: ASK_TIMEOUT_MS, signal });
    return { word: /^[a-z-]+$/m.exec(stdout)?.[0] ?? '', status };
  } catch (error) {
    if (codeOf(error) !== 'PROGRAM_MISSING') throw error;
    return { word: '', status: null };
  }
}

/** Undefined where `systemctl show` fails, or says nothing about the unit. */
async function showIfTold(user: boolean, unit: string, signal: AbortSignal): Promise<UnitStatus | undefined> {
  try {
    const [status] = await systemctl(user).show([unit], signal);
    return status?.activeState === '' ? undefined : status;
  } catch (error) {
    if (codeOf(error) !== 'SYSTEMCTL_FAILED') throw error;
    return undefined;
  }
}

interface Watched {
  activeState(): Promise<string>;
  show(): Promise<UnitStatus | undefined>;
}

async function watchService(unit: Watched, graceMs: number, signal: AbortSignal): Promise<string | undefined> {
  const end = Date.now() + graceMs;
  const first = await unit.show();
  for (;;) {
    const flaw = flawOf(await unit.activeState(), await unit.show(), first);
    const left = end - Date.now();
    if (flaw !== undefined || left <= 0) return flaw;
    await sleep(Math.min(POLL_MS, left), undefined, { signal });
  }
}

function flawOf(state: string, now: UnitStatus | undefined, first: UnitStatus | undefined): string | undefined {
  const isDone = now?.type === 'oneshot' && now.activeState === 'inactive' && now.result === 'success';
  if (isDone) return undefined;
  if (state !== 'active' && state !== 'reloading' && state !== 'refreshing') {
    return now === undefined ? `is ${state}` : `is ${state} (${now.subState}, result ${now.result})`;
  }
  if (now === undefined || first === undefined) return undefined;
  const restarts = now.restarts - first.restarts;
  if (restarts > 0) return `did not stay up: systemd started it again (${plural(restarts, 'time')})`;
  if (now.invocation !== first.invocation) return 'did not stay up: it was started again';
  return undefined;
}
