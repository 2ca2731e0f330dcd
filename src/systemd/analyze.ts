/** What `systemd-analyze verify` has against a unit, where there is one. */
import { basename } from 'node:path';
import { printable } from '../base/text.ts';
import { findProgram } from '../linux/processes/find-program.ts';
import { runProgram } from '../linux/processes/spawn.ts';

export interface UnitProblem {
  /** One line, without the folder of the file. */
  readonly text: string;
  /** The manager would not load the unit at all. */
  readonly isFatal: boolean;
}

const TIMEOUT_MS = 60_000;
/** Of a unit with more, the first ones tell enough. */
const PROBLEM_LIMIT = 20;

/**
 * @param file has the name of the unit
 * @returns problems of this very unit; undefined where there is no `systemd-analyze`, or it cannot work here
 */
export async function verifyUnit(
  file: string,
  options: { readonly user: boolean },
  signal: AbortSignal,
): Promise<readonly UnitProblem[] | undefined> {
  if (findProgram('systemd-analyze') === undefined) return undefined;
  const args = [...(options.user ? ['--user'] : []), 'verify', '--man=no', file];
  const { stdout, stderr, timedOut } = await runProgram('systemd-analyze', args, { timeoutMs: TIMEOUT_MS, signal });
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  if (timedOut || lines.some((line) => line.startsWith('Failed to initialize manager'))) return undefined;
  // It tells of every unit that it had to load for this one, and those are not our concern.
  return lines
    .filter((line) => line.includes(basename(file)))
    .slice(0, PROBLEM_LIMIT)
    .map((line) => problem(line, file));
}

function problem(line: string, file: string): UnitProblem {
  const text = printable(line.replaceAll(file, basename(file)));
  return { text, isFatal: /Refusing\.|bad unit file setting|fatal error/.test(text) };
}
