import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Finished, start } from './program.ts';
import { makeScratch, removeTree } from './scratch.ts';
import { type Call, parseStrace } from './strace-log.ts';

/** System calls that change what is on the disk, or make it last. Opens and writes are left out: see `Fault`. */
export const DURABLE_CALLS = [
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'unlink', 'unlinkat', 'rmdir', 'symlink', 'symlinkat'],
  ...['mkdir', 'mkdirat', 'mknod', 'mknodat', 'ftruncate', 'fchmod', 'fsync', 'fdatasync', 'syncfs'],
] as const;

/** A program to be run on one state, e.g. `{ file: process.execPath, args: [TAKO, 'fetch', config] }`. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
}

/** What one undisturbed run did. */
export interface Recording {
  /** Durable calls of our own process, in their order, all from one thread. Never empty. */
  readonly calls: readonly Call[];
  /** The same of the programs it started (systemctl, mv): not part of the matrix. `program` is what they executed. */
  readonly children: readonly Call[];
  /** A process that has loaded koffi calls fsync(1) and fsync(2) at its very end: so many, not among `calls`. */
  readonly endings: number;
  /** Are they the main thread's? Then strace need not follow, and no child can be hit in our place. */
  readonly onMainThread: boolean;
  readonly run: Finished;
}

/**
 * KILL ends the process at the entry of the call, which then has not happened. An error makes the call fail without
 * having happened: ENOSPC, EIO, EDQUOT, EROFS. Failing writes are better had from a really full disk (`full-disk.ts`):
 * among them are those to stdout and to wake threads, and their number differs from run to run.
 */
export type Fault = 'KILL' | `E${string}`;

/** One run of the matrix, as `check` sees it. */
export interface CrashPoint {
  /** A sentence for messages: `killed at rename 2 of 3: rename("a", "b")`. */
  readonly name: string;
  /** `hit` after the fault; `again` after the second run; `through` after a run without one. The last two: "after". */
  readonly stage: 'hit' | 'again' | 'through';
  /** How the program ended: status and texts are of interest after an error. */
  readonly run: Finished;
}

export interface CrashMatrix<State> {
  /** A fresh copy of the same state, each time: what an earlier kill left would add calls and shift the rest. */
  prepare(): Promise<State>;
  command(state: State): Command;
  /** Is the state right? "Before or after" when hit, "after" in the other stages. */
  check(state: State, at: CrashPoint): Promise<void>;
  /** What has to succeed after the fault. Default: the same command, with status 0. */
  rerun?(state: State): Promise<Finished>;
  dispose?(state: State): Promise<void> | void;
  /** Default KILL. */
  readonly fault?: Fault | undefined;
  /** Default `DURABLE_CALLS`. */
  readonly only?: readonly string[] | undefined;
  /** Hit each so-many-th call of a name alone: a sample, where all of them take too long. Default 1. */
  readonly every?: number | undefined;
  /** Runs at the same time, each on a state of its own. Default 2. */
  readonly parallel?: number | undefined;
  /** For one run. Default a minute. */
  readonly timeoutMs?: number | undefined;
}
export interface CrashCounts {
  /** Runs that were hit: one for each call, or each that `every` leaves. */
  readonly kills: number;
  /** How often each call was made: `{ rename: 2, fsync: 4 }`. */
  readonly calls: Readonly<Record<string, number>>;
  /** Durable calls of child programs, which were left alone: `systemctl unlink` and the like. */
  readonly children: readonly string[];
}

/**
 * Run a command once under strace and read off its durable calls. Needs `strace`.
 *
 * @throws AssertionError when it fails, makes none, or makes them on more than one thread: strace counts `when=N` per
 * thread, so a matrix over several looks complete and is not. Synchronous calls without workers do; so do calls of
 * `fs/promises` alone under `UV_THREADPOOL_SIZE=1`.
 */
export async function recordDurableCalls(
  command: Command,
  names: readonly string[] = DURABLE_CALLS,
  timeoutMs?: number,
): Promise<Recording> {
  const processes = ['clone', 'clone3', 'fork', 'vfork', 'execve'];
  const trace = ['-f', '-y', '-s', '256', '-e', 'signal=none', '-e', `trace=${optional([...names, ...processes])}`];
  const { run, log } = await underStrace(command, trace, timeoutMs);
  assert.equal(run.status, 0, `the undisturbed run has to succeed: ${describe(run)}`);
  const { calls, main } = parseStrace(log);
  const durable = calls.filter(({ call }) => names.includes(call));
  const ours = durable.filter((call) => call.process === main);
  const counted = ours.filter((call) => !isKoffiEnding(call));
  const threads = new Set(counted.map((call) => call.thread));
  assert.notEqual(threads.size, 0, 'the command makes no durable call: a matrix would prove nothing');
  assert.equal(
    threads.size,
    1,
    `durable calls come from ${threads.size} threads, and strace counts for each alone:\n${list(counted)}`,
  );
  const children = durable.filter((call) => call.process !== main);
  const endings = ours.length - counted.length;
  return { calls: counted, children, endings, onMainThread: threads.has(main), run };
}

/**
 * Hit a command at every durable call it makes, one run each; look at what is left, run it again, look again.
 * Complete by count: every recorded call is hit once, and one past the last of each name runs through.
 */
export async function crashMatrix<State>(matrix: CrashMatrix<State>): Promise<CrashCounts> {
  const recording = await withState(matrix, async (state) => {
    const recorded = await recordDurableCalls(matrix.command(state), matrix.only, matrix.timeoutMs);
    await look(matrix, state, { name: 'undisturbed', stage: 'through', run: recorded.run });
    return recorded;
  });
  const names = [...new Set(recording.calls.map(({ call }) => call))];
  const counts = new Map(names.map((name) => [name, recording.calls.filter(({ call }) => call === name).length]));
  const { every = 1 } = matrix;
  const all = names.flatMap((name) => recording.calls.filter(({ call }) => call === name).map(toHit));
  const hits = all.filter(({ n }) => (n - 1) % every === 0);
  let kills = 0;
  await inParallel(matrix.parallel ?? 2, [
    ...hits.map((hit) => async () => {
      await oneHit(matrix, recording, { ...hit, of: counts.get(hit.call) ?? 0 });
      kills++;
    }),
    ...names.map((name) => () => oneThrough(matrix, recording, name, (counts.get(name) ?? 0) + 1)),
  ]);
  assert.equal(kills, hits.length, 'as many kills as calls to be hit');
  const children = recording.children.map(({ program, call }) => `${program} ${call}`);
  return { kills, calls: Object.fromEntries(counts), children };
}

interface Hit {
  readonly call: string;
  /** strace's `when=`. */
  readonly n: number;
  readonly text: string;
}

function toHit({ call, args }: Call, index: number): Hit {
  return { call, n: index + 1, text: `${call}(${args})` };
}

async function oneHit<State>(matrix: CrashMatrix<State>, recording: Recording, hit: Hit & { of: number }) {
  const fault = matrix.fault ?? 'KILL';
  const verb = fault === 'KILL' ? 'killed' : fault;
  const name = `${verb} at ${hit.call} ${hit.n} of ${hit.of}: ${hit.text}`;
  await withState(matrix, async (state) => {
    const command = matrix.command(state);
    const { run, log } = await underStrace(command, inject(recording, hit, fault), matrix.timeoutMs);
    const wasHit = fault === 'KILL' ? run.signal === 'SIGKILL' || run.status === 137 : log.includes('(INJECTED)');
    assert.ok(wasHit, `not ${name}; it ran differently from the recorded run: ${describe(run)}`);
    await look(matrix, state, { name, stage: 'hit', run });
    const again = await (matrix.rerun?.(state) ?? plain(command, matrix.timeoutMs));
    assert.equal(again.status, 0, `${name}: the run after it fails: ${describe(again)}`);
    await look(matrix, state, { name, stage: 'again', run: again });
  });
}

/** One past the last: it has to run through, or the recorded run made fewer calls than this one. */
async function oneThrough<State>(matrix: CrashMatrix<State>, recording: Recording, call: string, n: number) {
  const name = `at ${call} ${n}, one more than recorded`;
  await withState(matrix, async (state) => {
    const beyond = { call, n: call === 'fsync' ? n + recording.endings : n, text: '' };
    const options = inject(recording, beyond, matrix.fault ?? 'KILL');
    const { run, log } = await underStrace(matrix.command(state), options, matrix.timeoutMs);
    assert.equal(run.status, 0, `${name}: has to run through: ${describe(run)}`);
    assert.ok(!log.includes('(INJECTED)'), `${name}: was made`);
    await look(matrix, state, { name, stage: 'through', run });
  });
}

function inject(recording: Recording, { call, n }: Hit, fault: Fault): readonly string[] {
  const what = fault === 'KILL' ? 'signal=KILL' : `error=${fault}`;
  const follow = recording.onMainThread ? [] : ['-f'];
  return [...follow, '-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${n}`];
}

async function look<State>(matrix: CrashMatrix<State>, state: State, at: CrashPoint): Promise<void> {
  try {
    await matrix.check(state, at);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${at.name} (${at.stage}): ${text}\n${describe(at.run)}`, { cause });
  }
}

async function withState<State, T>(matrix: CrashMatrix<State>, use: (state: State) => Promise<T>): Promise<T> {
  const state = await matrix.prepare();
  try {
    return await use(state);
  } finally {
    await matrix.dispose?.(state);
  }
}

/** Children that outlive a killed parent would go on changing the state while it is looked at: they end with it. */
async function plain(command: Command, timeoutMs?: number, prefix: readonly string[] = []): Promise<Finished> {
  const { file, args, env, cwd } = command;
  const running = start(file, args, { env, cwd, timeoutMs, prefix });
  running.child.once('exit', () => running.kill());
  return running.done;
}

async function underStrace(command: Command, options: readonly string[], timeoutMs?: number) {
  const dir = makeScratch();
  try {
    const file = join(dir, 'log');
    const run = await plain(command, timeoutMs, ['strace', '-qq', '-o', file, ...options]);
    return { run, log: await readFile(file, 'latin1') };
  } finally {
    removeTree(dir);
  }
}

async function inParallel(width: number, jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = [...jobs];
  const worker = async () => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      try {
        await job();
      } catch (error) {
        queue.length = 0; // the first failure is the message; the others would say the same
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: width }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function isKoffiEnding({ call, args }: Call): boolean {
  return call === 'fsync' && /^[12](<.*>)?$/.test(args);
}

/** `?` lets strace pass over a call that this architecture does not have: arm64 has no rename, only renameat. */
function optional(names: readonly string[]): string {
  return names.map((name) => `?${name}`).join(',');
}

function list(calls: readonly Call[]): string {
  return calls.map(({ thread, call, args }) => `${thread} ${call}(${args})`).join('\n');
}

function describe({ status, signal, stdout, stderr }: Finished): string {
  return `${signal ?? `status ${status}`}\nstdout: ${stdout.slice(-1000)}\nstderr: ${stderr.slice(-2000)}`;
}
