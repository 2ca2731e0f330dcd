/** A program under the first process of a container: what that one is told is passed on, its status handed back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { codeOf, explain } from '../../../base/error.ts';

/** A terminal sends these to all who sit at it, the program among them: twice would be once too often. */
const FROM_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGTSTP'];
const PASSED_ON: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'];

/**
 * Run it to its end. As a shell does: 127 when there is no such program, 126 when it cannot be run, 128 and the number
 * of the signal that ended it.
 */
export function runUnder(
  words: readonly string[],
  isTerminal: boolean,
  onError: (text: string) => void,
): Promise<number> {
  const [file = '', ...args] = words;
  let child: ChildProcess | undefined;
  const pass = (signal: NodeJS.Signals): void => void child?.kill(signal);
  const keep = (): void => undefined; // or the default action would end us before the program has ended
  // Before the program starts: a signal that comes while it does would end us alone. It is heard when both are there.
  for (const signal of PASSED_ON) process.on(signal, pass);
  for (const signal of FROM_TERMINAL) process.on(signal, isTerminal ? keep : pass);
  return new Promise<number>((resolve) => {
    child = spawn(file, args, { stdio: 'inherit' });
    child.once('error', (error) => {
      onError(`${file}: ${explain(error)}`);
      resolve(codeOf(error) === 'ENOENT' ? 127 : 126);
    });
    child.once('exit', (status, signal) => resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  }).finally(() => {
    for (const signal of PASSED_ON) process.off(signal, pass);
    for (const signal of FROM_TERMINAL) process.off(signal, isTerminal ? keep : pass);
  });
}
