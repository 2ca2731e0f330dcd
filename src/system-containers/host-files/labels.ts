/** SELinux labels of what was copied. Where the kernel has no SELinux nothing is done, and nothing is said. */
import { existsSync } from 'node:fs';
import { codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { runProgram } from '../../linux/processes/spawn.ts';
import type { ActionLog } from '../host.ts';
import type { Places } from '../places/index.ts';

/** Well below what the kernel takes as arguments of a program. */
const BATCH = 200;
const TIMEOUT_MS = 60_000;

/** By `restorecon`, which knows what belongs where. @param selinux where the kernel shows that it has it */
export async function relabel(
  places: Pick<Places, 'root'>,
  paths: readonly string[],
  log: ActionLog,
  selinux = '/sys/fs/selinux/enforce',
): Promise<void> {
  if (places.root !== '' || paths.length === 0 || !existsSync(selinux)) return;
  for (let at = 0; at < paths.length; at += BATCH) {
    try {
      const { status, stderr } = await runProgram('restorecon', ['--', ...paths.slice(at, at + BATCH)], {
        timeoutMs: TIMEOUT_MS,
      });
      if (status !== 0) log.warning(`restorecon: ${printable(stderr.trim()) || `status ${status}`}`);
    } catch (error) {
      if (codeOf(error) !== 'PROGRAM_MISSING') throw error;
      return; // a system without it has labels by other means, or none
    }
  }
}
