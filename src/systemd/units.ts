/** `systemctl`, without a shell: restart, reload and look at units. */
import { CodedError, codeOf } from '../base/error.ts';
import { runProgram } from '../linux/processes/spawn.ts';
import { whyFailed } from './call.ts';

/** A unit may take its own TimeoutStartSec; a job that takes longer than this hangs. */
const JOB_TIMEOUT_MS = 15 * 60_000;
const SHOW_TIMEOUT_MS = 30_000;

/** What `systemctl show` says about one unit, as far as health is concerned. */
export interface UnitStatus {
  readonly unit: string;
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  readonly result: string;
  readonly type: string;
  /** Changes whenever the unit is started. */
  readonly invocation: string;
  /** Automatic restarts so far. */
  readonly restarts: number;
}

export interface UnitControl {
  /** @throws CodedError SYSTEMCTL_FAILED, PROGRAM_MISSING */
  restart(units: readonly string[], signal: AbortSignal): Promise<void>;
  reload(units: readonly string[], signal: AbortSignal): Promise<void>;
  show(units: readonly string[], signal: AbortSignal): Promise<readonly UnitStatus[]>;
}

/** The system's manager, or with `user` the caller's own. */
export function systemctl(user: boolean): UnitControl {
  const call = async (words: readonly string[], units: readonly string[], timeoutMs: number, signal: AbortSignal) => {
    const args = [...(user ? ['--user'] : []), ...words, '--', ...units];
    const result = await runProgram('systemctl', args, { timeoutMs, signal });
    if (result.status === 0) return result.stdout;
    const why = whyFailed(result, timeoutMs);
    throw new CodedError('SYSTEMCTL_FAILED', `systemctl ${words[0]} ${units.join(' ')}: ${why}`, {
      hint: `see "systemctl ${user ? '--user ' : ''}status ${units.join(' ')}"`,
      subject: units.join(' '),
    });
  };
  const restart = async (units: readonly string[], signal: AbortSignal): Promise<void> => {
    try {
      await call(['restart'], units, JOB_TIMEOUT_MS, signal);
    } catch (error) {
      // A version that failed again and again must not use up the start limit of the one that follows it.
      if (codeOf(error) !== 'SYSTEMCTL_FAILED' || !(await haveHitLimit(units, signal))) throw error;
      await call(['reset-failed'], units, SHOW_TIMEOUT_MS, signal);
      await call(['restart'], units, JOB_TIMEOUT_MS, signal);
    }
  };
  const show = async (units: readonly string[], signal: AbortSignal): Promise<readonly UnitStatus[]> =>
    parseShow(await call(['show', `--property=${PROPERTIES}`], units, SHOW_TIMEOUT_MS, signal), units);
  const haveHitLimit = async (units: readonly string[], signal: AbortSignal): Promise<boolean> => {
    try {
      return (await show(units, signal)).some((unit) => unit.result === 'start-limit-hit');
    } catch (error) {
      if (codeOf(error) !== 'SYSTEMCTL_FAILED') throw error;
      return false; // why the restart failed is the better answer
    }
  };
  return {
    restart,
    show,
    reload: async (units, signal) => void (await call(['reload'], units, JOB_TIMEOUT_MS, signal)),
  };
}

const PROPERTIES = 'Id,LoadState,ActiveState,SubState,Result,Type,InvocationID,NRestarts';

/** Blocks of `Name=value` lines, one block a unit, in the order asked. */
function parseShow(text: string, units: readonly string[]): UnitStatus[] {
  const blocks = text.trim().split(/\n\n+/);
  return units.map((unit, i) => {
    const fields = new Map((blocks[i] ?? '').split('\n').map((line) => splitOnce(line)));
    const field = (name: string): string => fields.get(name) ?? '';
    return {
      unit,
      loadState: field('LoadState'),
      activeState: field('ActiveState'),
      subState: field('SubState'),
      result: field('Result'),
      type: field('Type'),
      invocation: field('InvocationID'),
      restarts: Number(field('NRestarts')) || 0, // only services have it
    };
  });
}

function splitOnce(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}
