/** After a restart: do the units stay up, and does the administrator's own check agree? */
import { printable } from '../../base/text.ts';
import { runProgram } from '../../linux/processes/spawn.ts';
import { type UnitControl, watchUnits } from '../../systemd/index.ts';
import type { Config } from '../config/config.ts';

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
  const flaw = await watchUnits(ports.units, units, config.healthMs, signal);
  if (flaw !== undefined || config.healthCheck === undefined) return flaw;
  const failed = await runCheck(config.healthCheck, config, judged, signal);
  // A unit may have fallen over what the check asked of it.
  return failed ?? (await watchUnits(ports.units, units, 0, signal));
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
  } = await runProgram(file, args, {
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
