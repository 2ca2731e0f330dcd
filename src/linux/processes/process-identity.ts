/** A process that can be recognised later: a process id alone comes round again. */
import { readFileSync } from 'node:fs';
import { decodeDecimal } from '../../base/decode.ts';
import { codeOf } from '../../base/error.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot: field 22 of /proc/PID/stat. */
  readonly startTime: number;
  readonly bootId: string;
  /** Seconds since the epoch, as far as the clock was right. */
  readonly startedAt: number;
}

/** Ticks of `startTime` in a second: the kernel's interface to user space is fixed to this. */
const TICKS_PER_SECOND = 100;
/** So far apart the same start may seem, for clocks are adjusted. A reboot takes longer. */
const CLOCK_SLACK = 5;

/** @throws SystemError-like ENOENT or ESRCH when there is no such process */
export function processIdentity(pid = process.pid): ProcessIdentity {
  const { startTime } = readStat(pid);
  return { pid, startTime, bootId: bootId(), startedAt: startedAt(startTime) };
}

/** Is that very process still running? One that has ended and was not waited for yet (a zombie) is not. */
export function isAlive(identity: ProcessIdentity): boolean {
  // Container managers mount a boot id of their own, which a sandboxed unit in the container does not see: then the
  // time of the start tells.
  const isSameBoot =
    identity.bootId === bootId() || Math.abs(startedAt(identity.startTime) - identity.startedAt) <= CLOCK_SLACK;
  if (!isSameBoot) return false;
  try {
    const { state, startTime } = readStat(identity.pid);
    return startTime === identity.startTime && state !== 'Z' && state !== 'X';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ESRCH') return false;
    throw error;
  }
}

function startedAt(startTime: number): number {
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  return Math.round(Date.now() / 1000 - uptime + startTime / TICKS_PER_SECOND);
}

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** `PID (NAME) STATE PPID ...`: the name may hold blanks and parentheses, so the fields are counted after the last one. */
function readStat(pid: number): { readonly state: string; readonly startTime: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const [state = '', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTime = decodeDecimal(fields[18] ?? '');
  if (startTime === undefined) throw new Error(`unreachable: the kernel writes a start time into /proc/${pid}/stat`);
  return { state, startTime };
}
