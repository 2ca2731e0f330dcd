/** A process that can be recognised later: a process id alone comes round again. */
import { readFileSync } from 'node:fs';
import { decodeDecimal } from '../../base/decode.ts';
import { codeOf } from '../../base/error.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot: field 22 of /proc/PID/stat. */
  readonly startTime: number;
  readonly bootId: string;
}

/** @throws SystemError-like ENOENT or ESRCH when there is no such process */
export function processIdentity(pid = process.pid): ProcessIdentity {
  return { pid, startTime: readStat(pid).startTime, bootId: bootId() };
}

/** Is that very process still running? One that has ended and was not waited for yet (a zombie) is not. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  try {
    const { state, startTime } = readStat(identity.pid);
    return startTime === identity.startTime && state !== 'Z' && state !== 'X';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ESRCH') return false;
    throw error;
  }
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
