import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { searchPath } from './needs.ts';

/** The checkout, seen from dist/test/support. */
export const CHECKOUT = join(import.meta.dirname, '..', '..', '..');
/** The built programs under test. */
export const TAKO = builtProgram('tako');
export const OSTREE_CONTAINER = builtProgram('ostree-container');
export const OS_CONTAINERS = builtProgram('os-containers');

/** Time for one program when a test says nothing else; a slow machine under strace needs a part of it. */
const DEFAULT_TIMEOUT_MS = 60_000;

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string | undefined;
  /** Added to a clean environment: `PATH`, `HOME`, `TMPDIR`, `LC_ALL=C.UTF-8`, `TZ=UTC`; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Given on stdin, which is closed after it; without it stdin is /dev/null. */
  readonly input?: string | Uint8Array | undefined;
  /** After this the program and its children are killed, and the promise is rejected. Default: a minute. */
  readonly timeoutMs?: number | undefined;
  /** A program to run this one under, with its arguments: `['strace', '-f']`, `['setpriv', '--reuid=1000']`. */
  readonly prefix?: readonly string[] | undefined;
}
export interface NodeOptions extends RunOptions {
  /** Options of node itself, before the script. */
  readonly node?: readonly string[] | undefined;
}

/** A program that has ended. `status` is null when a signal ended it. */
export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as it came, for programs that write archives to it. */
  readonly bytes: Buffer;
}

/** A program that runs. It leads a process group, so that its children end with it. */
export interface Running {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly done: Promise<Finished>;
  /** Signal the program and its children; default SIGKILL. SIGSTOP and SIGCONT hold all of them still. */
  kill(signal?: NodeJS.Signals): void;
  /** Signal the program alone, as systemd's `KillMode=process` or a user's `kill` does. */
  signal(signal: NodeJS.Signals): void;
  /** Wait until its output, stdout and stderr together, contains a text or matches. Rejected when it ends before. */
  says(what: string | RegExp): Promise<void>;
}

const live = new Set<Running>();
// Before all other exit handlers: scratch folders are removed after the programs that write there have ended.
process.prependListener('exit', () => {
  for (const running of live) running.kill();
});

/** Run a program to its end. A status other than 0 is a result, not an error. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return start(file, args, options).done;
}
export function runNode(script: string, args: readonly string[], options: NodeOptions = {}): Promise<Finished> {
  return startNode(script, args, options).done;
}
/** Run the built `tako`, e.g. `await runTako(['fetch', config])`. */
export function runTako(args: readonly string[], options: NodeOptions = {}): Promise<Finished> {
  return runNode(TAKO, args, options);
}
/** Run the built `ostree-container`, e.g. `await runOstreeContainer(['repo', 'refs', '--repo', repository])`. */
export function runOstreeContainer(args: readonly string[], options: NodeOptions = {}): Promise<Finished> {
  return runNode(OSTREE_CONTAINER, args, options);
}
/** Run the built `os-containers`, e.g. `await runOsContainers(['list', '--all'])`. */
export function runOsContainers(args: readonly string[], options: NodeOptions = {}): Promise<Finished> {
  return runNode(OS_CONTAINERS, args, options);
}
export function startNode(script: string, args: readonly string[], options: NodeOptions = {}): Running {
  return start(process.execPath, [...(options.node ?? []), script, ...args], options);
}
export function startTako(args: readonly string[], options: NodeOptions = {}): Running {
  return startNode(TAKO, args, options);
}
export function startOstreeContainer(args: readonly string[], options: NodeOptions = {}): Running {
  return startNode(OSTREE_CONTAINER, args, options);
}

/** Run a program that has to succeed, for what a test prepares. */
export async function must(file: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const ended = await run(file, args, options);
  if (ended.status === 0) return ended;
  const how = ended.signal ?? `status ${ended.status}`;
  throw new Error(`${file} ${args.join(' ')}: ${how}: ${ended.stderr.slice(-2000) || ended.stdout.slice(-2000)}`);
}

/** Start a program; asynchronously, for the servers it talks to live in the test's own process. */
export function start(file: string, args: readonly string[], options: RunOptions = {}): Running {
  const [program = file, ...words] = [...(options.prefix ?? []), file, ...args];
  const stdin = options.input === undefined ? 'ignore' : 'pipe';
  const child = spawn(program, words, {
    cwd: options.cwd,
    env: environment(options.env),
    detached: true, // a process group of its own
    stdio: [stdin, 'pipe', 'pipe'],
  });
  // A program that does not read its input closes the pipe: what it does then is the test's business.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input);
  return follow(child, `${program} ${words.join(' ')}`, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
}

function builtProgram(name: string): string {
  return join(CHECKOUT, 'dist', 'src', 'cli', name, 'main.js');
}

function follow(child: ChildProcess, name: string, timeoutMs: number): Running {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  const said = () => `${Buffer.concat(out)}${Buffer.concat(err)}`;

  const kill = (signal: NodeJS.Signals = 'SIGKILL') => {
    if (child.pid !== undefined) signalGroup(child.pid, signal);
  };
  const done = new Promise<Finished>((resolve, reject) => {
    const timer = setTimeout(() => {
      kill();
      reject(new Error(`${name}: still running after ${timeoutMs} ms: ${said().slice(-2000)}`));
    }, timeoutMs);
    child.once('error', (cause) => {
      clearTimeout(timer);
      live.delete(running);
      reject(new Error(`${name}: cannot be started`, { cause }));
    });
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      live.delete(running);
      const bytes = Buffer.concat(out);
      resolve({ status, signal, bytes, stdout: bytes.toString('utf8'), stderr: Buffer.concat(err).toString('utf8') });
    });
  });
  done.catch(() => undefined); // a test that killed its program need not wait for it
  const running: Running = {
    pid: child.pid ?? -1,
    child,
    done,
    kill,
    signal: (signal) => void child.kill(signal),
    says: (what) => heard(child, done, said, what, name),
  };
  live.add(running);
  return running;
}

function heard(
  child: ChildProcess,
  done: Promise<Finished>,
  said: () => string,
  what: string | RegExp,
  name: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const text = said();
      if (typeof what === 'string' ? text.includes(what) : what.test(text)) settle(resolve);
    };
    const gone = () => settle(() => reject(new Error(`${name}: ended without saying ${what}: ${said().slice(-2000)}`)));
    const settle = (finish: () => void) => {
      child.stdout?.off('data', look);
      child.stderr?.off('data', look);
      finish();
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    look();
    done.then(gone, gone);
  });
}

/**
 * Nothing of the caller's environment that changes what a program does: no `CI`, no `JOURNAL_STREAM`, no proxies,
 * no `NODE_OPTIONS`, no settings of ours.
 */
function environment(extra: RunOptions['env']): NodeJS.ProcessEnv {
  const { HOME, TMPDIR } = process.env;
  const all = { PATH: searchPath(), HOME, TMPDIR, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...extra };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: everybody in it has ended already, which is what a kill is for
  }
}
