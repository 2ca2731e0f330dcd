/** Was it the command that failed, or was it never started? A runtime's exit status alone does not tell. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** As podman has it. */
export const COULD_NOT_START = 125;

/** What runc and crun end with when it is they that fail. */
const OF_RUNTIMES = [1, 255];

/**
 * @param directory of this run alone
 * @param work gets a path in it where the runtime writes the process id as soon as there is a process
 */
export async function withPidFile(directory: string, work: (pidFile: string) => Promise<number>): Promise<number> {
  const pidFile = join(directory, 'pid');
  const status = await work(pidFile);
  return OF_RUNTIMES.includes(status) && !existsSync(pidFile) ? COULD_NOT_START : status;
}
