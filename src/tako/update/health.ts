/** After a restart: do the units stay up, and does the administrator's own check agree? */
import { accessSync, constants } from 'node:fs';
import { codeOf, explain } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type RunResult, runProgram } from '../../linux/processes/spawn.ts';
import { type UnitControl, watchUnits } from '../../systemd/index.ts';
import type { Config } from '../config/config.ts';
import { TakoError } from '../error.ts';

/** So much of the output of a failed check goes into the error. */
const OUTPUT_LIMIT = 4096;

export interface HealthPorts {
  readonly units: UnitControl;
}

/** What the check may know about the image it judges. */
export interface Judged {
  readonly version: string;
  /** The path of the image in the store. */
  readonly image: string;
}

/** @returns what is wrong, or undefined */
export async function checkHealth(
  config: Config,
  judged: Judged,
  ports: HealthPorts,
  signal: AbortSignal,
): Promise<string | undefined> {
  const units = [...config.restart, ...config.reload];
  const { healthCheck } = config;
  const check = healthCheck && (() => runCheck(healthCheck, config, judged, signal));
  return watchUnits(ports.units, units, config.healthMs, signal, check);
}

/**
 * A check that cannot be run would blame every image: that is found out before anything is switched.
 * @throws TakoError INVALID_CONFIG
 */
export function assertCheckRuns({ healthCheck, path }: Config): void {
  const [file] = healthCheck ?? [];
  if (file === undefined) return;
  try {
    accessSync(file, constants.X_OK);
  } catch (cause) {
    throw new TakoError('INVALID_CONFIG', `${path}: HealthCheck: ${file} cannot be run`, {
      cause,
      hint: 'nothing was switched; mend the path or its mode and run again',
      subject: path,
    });
  }
}

async function runCheck(
  command: readonly string[],
  config: Config,
  judged: Judged,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [file = '', ...args] = command;
  const {
    status,
    signal: killed,
    stdout,
    stderr,
    timedOut,
  } = await runIfThere(file, args, {
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      TAKO_CONFIG: config.path,
      TAKO_VERSION: judged.version,
      TAKO_IMAGE: judged.image,
    },
    timeoutMs: Math.max(config.healthMs, 1000),
    outputLimit: OUTPUT_LIMIT,
    signal,
  });
  if (status === 0) return undefined;
  const how = timedOut
    ? `did not end within ${config.healthMs / 1000} s`
    : `ended with ${killed ?? `status ${status}`}`;
  const output = printable(
    `${stdout}${stderr}`.trim().slice(0, OUTPUT_LIMIT).replace(/\n/g, '; ').replace(/\s+/g, ' '),
  );
  return `check ${file} ${how}${output === '' ? '' : `: ${output}`}`;
}

/** A check that vanished, or whose interpreter is not there, is a failed one. */
async function runIfThere(...call: Parameters<typeof runProgram>): Promise<RunResult> {
  try {
    return await runProgram(...call);
  } catch (error) {
    if (!['PROGRAM_MISSING', 'EACCES', 'ENOEXEC'].includes(codeOf(error) ?? '')) throw error;
    return { status: 127, signal: null, stdout: '', stderr: explain(error), timedOut: false, truncated: false };
  }
}
