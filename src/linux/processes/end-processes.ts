/** Ending a program that has run for too long, politely first. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../base/error.ts';

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2000;
/** From SIGKILL to giving up: a process stuck in the kernel dies when the kernel lets it. */
const KILL_MS = 1000;
const POLL_MS = 20;

/**
 * SIGTERM, and SIGKILL when it does not help. With `group` the child must lead its own process group; all of it goes,
 * also when the child itself has ended at once. Returns after three seconds at the latest.
 */
export async function endProcesses(child: ChildProcess, extent: 'program' | 'group'): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const send =
    extent === 'group' ? (signal: Signal) => sendToGroup(pid, signal) : (signal: Signal) => sendTo(child, signal);
  send('SIGTERM');
  if (await gone(send, GRACE_MS)) return;
  send('SIGKILL');
  await gone(send, KILL_MS);
}

type Signal = 'SIGTERM' | 'SIGKILL' | 0;

async function gone(send: (signal: Signal) => boolean, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (send(0)) {
    if (performance.now() >= deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** False when nobody is left that we may send to. While somebody is, the number cannot belong to another group. */
function sendToGroup(pid: number, signal: Signal): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ESRCH' || code === 'EPERM') return false; // EPERM: what is left runs as another user
    throw error;
  }
}

function sendTo(child: ChildProcess, signal: Signal): boolean {
  return child.exitCode === null && child.signalCode === null && child.kill(signal);
}
