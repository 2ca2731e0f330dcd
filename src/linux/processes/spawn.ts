/** Programs, run without a shell, with bounded time and output. */
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { CodedError, codeOf } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { captureOutput } from './capture-output.ts';
import { endProcesses } from './end-processes.ts';
import { findProgram } from './find-program.ts';

export interface RunOptions {
  /** The whole environment; ours when left out. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** No limit when left out. */
  readonly timeoutMs?: number | undefined;
  /** Bytes kept of each of stdout and stderr; 1 MiB when left out. */
  readonly outputLimit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly input?: Uint8Array | string | undefined;
  readonly cwd?: string | undefined;
  /**
   * The program talks to our terminal: nothing is captured, and it stays in our process group, so that Ctrl-C reaches
   * it; a timeout then ends the program alone and not what it started.
   */
  readonly inherit?: boolean | undefined;
}

export interface RunResult {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** Some output was beyond the limit and dropped. */
  readonly truncated: boolean;
}

const OUTPUT_LIMIT = 2 ** 20;
/** After the end of the program its output may be held open by something it left running: only so long it is read. */
const DRAIN_MS = 2000;
/** Nothing new for so long after the end: the rest belongs to somebody else. */
const QUIET_MS = 100;

/**
 * Run a program to its end; a timeout or the signal ends it and everything in its process group.
 * @throws CodedError PROGRAM_MISSING; what the signal was aborted with
 */
export async function runProgram(file: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { env, cwd, signal, input, inherit = false } = options;
  signal?.throwIfAborted();
  // Loaded when it is wanted: with what it needs itself it is a twentieth of a start.
  const { spawn } = await import('node:child_process');
  const child = spawn(file, args, {
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
    detached: !inherit,
    stdio: stdio(inherit, input !== undefined),
  });
  const extent = inherit ? 'program' : 'group';
  const limit = options.outputLimit ?? OUTPUT_LIMIT;
  const [stdout, stderr] = [captureOutput(child.stdout, limit), captureOutput(child.stderr, limit)];
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stdin?.end(input);

  const outcome = await untilDue(child, options).catch(async (error: unknown) => {
    await endProcesses(child, extent);
    throw isMissing(file, env, error) ? missing(file, cwd, error) : error;
  });
  if (outcome !== 'exit') await endProcesses(child, extent);
  await drain(closed, () => stdout.received() + stderr.received());
  for (const stream of child.stdio) stream?.destroy();
  child.unref();
  if (outcome === 'abort') throw signal?.reason;
  return {
    status: child.exitCode,
    signal: child.signalCode,
    stdout: stdout.text(),
    stderr: stderr.text(),
    timedOut: outcome === 'timeout',
    truncated: stdout.truncated() || stderr.truncated(),
  };
}

function stdio(inherit: boolean, hasInput: boolean): StdioOptions {
  if (inherit) return [hasInput ? 'pipe' : 'inherit', 'inherit', 'inherit'];
  return [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'];
}

type Outcome = 'exit' | 'timeout' | 'abort';

/** The first of: the program has ended, its time is up, the caller gave up. Rejects when it cannot be started or fed. */
function untilDue(child: ChildProcess, { timeoutMs, signal }: RunOptions): Promise<Outcome> {
  return new Promise<Outcome>((resolve, reject) => {
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => end('timeout'), timeoutMs);
    const abort = () => end('abort');
    const tidy = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const end = (outcome: Outcome) => {
      tidy();
      resolve(outcome);
    };
    const fail = (error: unknown) => {
      tidy();
      reject(error);
    };
    signal?.addEventListener('abort', abort);
    child.once('exit', () => end('exit'));
    child.on('error', fail);
    child.stdin?.on('error', (error) => {
      if (!UNREAD.has(codeOf(error))) fail(error);
    });
  });
}

/** A program need not read what it is given. */
const UNREAD: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ECONNRESET']);

/** Read what the program wrote before it ended, without waiting for the end of others that hold its pipes. */
async function drain(closed: Promise<void>, received: () => number): Promise<void> {
  const isClosed = closed.then(() => true);
  let before = -1;
  for (let waited = 0; waited < DRAIN_MS && received() !== before; waited += QUIET_MS) {
    before = received();
    // Not referenced: the open pipes keep the process going, and without them there is nothing to wait for.
    if (await Promise.race([isClosed, sleep(QUIET_MS, false, { ref: false })])) return;
    await turn(); // after a long synchronous stretch timers come before pending input
  }
}

/** One directory in PATH that may not be searched makes every program that is absent an EACCES. */
function isMissing(file: string, env: RunOptions['env'], error: unknown): boolean {
  const code = codeOf(error);
  return (
    code === 'ENOENT' || (code === 'EACCES' && !file.includes('/') && findProgram(file, env?.['PATH']) === undefined)
  );
}

function missing(file: string, cwd: string | undefined, cause: unknown): CodedError {
  if (cwd !== undefined && !existsSync(cwd)) {
    return new CodedError('NOT_A_DIRECTORY', `${printable(cwd)}: no such directory to run ${printable(file)} in`, {
      cause,
      subject: cwd,
    });
  }
  return new CodedError('PROGRAM_MISSING', `${printable(file)}: no such program`, {
    cause,
    hint: file.includes('/')
      ? 'check that it and the interpreter in its first line exist'
      : 'install it, or check PATH',
    subject: file,
  });
}
