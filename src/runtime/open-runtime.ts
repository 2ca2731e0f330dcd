import { mkdtempSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { temporaryFolder } from '../linux/files/nameless-file.ts';
import { readFileBounded } from '../linux/files/read.ts';
import { type RunOptions, type RunResult, runProgram } from '../linux/processes/spawn.ts';
import { isExactObject, parseExactJson } from './config/exact-json.ts';
import type { RuntimeControl, RuntimeFeatures } from './control.ts';
import { RuntimeError } from './error.ts';

/** A question that needs no container. */
const ASK_TIMEOUT_MS = 30_000;
/** The runtime itself waits ten seconds for processes that it has killed. */
const DELETE_TIMEOUT_MS = 60_000;
const SPEC_LIMIT = 2 ** 20;

/** @param path of the program; nothing is looked at before it is used */
export function openRuntime(path: string): RuntimeControl {
  const call = (args: readonly string[], options: RunOptions) => callRuntime(path, args, options);
  let known: RuntimeFeatures | undefined;
  const foreground = async (args: readonly string[], signal: AbortSignal): Promise<number> =>
    statusOf(await call(args, { inherit: true, signal }));
  return {
    path,
    features: async (signal) => {
      known ??= await askFeatures(call, signal);
      return known;
    },
    defaultConfig: (options, signal) => writeSpec(path, call, options.rootless, signal),
    deleteForce: (id, signal) => deleteForce(path, call, id, signal),
    exec: (id, command, { tty, detach = false, pidFile }, signal) => {
      const flags = [...(tty ? ['-t'] : []), ...(detach ? ['--detach'] : [])];
      return foreground(['exec', ...pidFileWords(pidFile), ...flags, id, ...command], signal);
    },
    execCaptured: async (id, command, { timeoutMs }, signal) => {
      const result = await call(['exec', id, ...command], { timeoutMs, signal, outputLimit: 2 ** 16 });
      return { status: statusOf(result), output: result.stdout + result.stderr, timedOut: result.timedOut };
    },
    run: (id, bundle, { pidFile }, signal) =>
      foreground(['run', ...pidFileWords(pidFile), '--bundle', bundle, id], signal),
  };
}

function pidFileWords(pidFile: string | undefined): readonly string[] {
  return pidFile === undefined ? [] : ['--pid-file', pidFile];
}

type Call = (args: readonly string[], options: RunOptions) => Promise<RunResult>;

async function callRuntime(path: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
  try {
    return await runProgram(path, args, options);
  } catch (error) {
    if (codeOf(error) !== 'PROGRAM_MISSING') throw error;
    throw new RuntimeError('RUNTIME_MISSING', `the runtime ${printable(path)} is not installed`, {
      cause: error,
      subject: path,
    });
  }
}

/** What their own help says: runc has a command for it only since 1.1, crun since 1.9. */
async function askFeatures(call: Call, signal: AbortSignal): Promise<RuntimeFeatures> {
  const help = async (...args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await call(args, { timeoutMs: ASK_TIMEOUT_MS, signal });
    return stdout + stderr;
  };
  const [general, run] = [await help('--help'), await help('run', '--help')];
  return { systemdCgroup: hasOption(general, 'systemd-cgroup'), pidFile: hasOption(run, 'pid-file') };
}

function hasOption(help: string, name: string): boolean {
  return new RegExp(`(^|\\s)--${name}(?![\\w-])`, 'm').test(help);
}

async function writeSpec(path: string, call: Call, rootless: boolean, signal: AbortSignal): Promise<unknown> {
  const folder = mkdtempSync(join(temporaryFolder(), 'os-containers-spec-'));
  try {
    const result = await call(['spec', ...(rootless ? ['--rootless'] : [])], {
      cwd: folder,
      timeoutMs: ASK_TIMEOUT_MS,
      signal,
    });
    if (result.status !== 0) throw failed(path, 'spec', result);
    const spec = parseExactJson(readSpec(path, folder), `${path} spec`);
    if (!isExactObject(spec)) throw new RuntimeError('RUNTIME_FAILED', `${path} spec: wrote no JSON object`);
    return spec;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readSpec(path: string, folder: string): Uint8Array {
  try {
    return readFileBounded(join(folder, 'config.json'), SPEC_LIMIT).bytes;
  } catch (error) {
    throw new RuntimeError('RUNTIME_FAILED', `${printable(path)} spec: wrote no config.json`, {
      cause: error,
      subject: path,
    });
  }
}

async function deleteForce(path: string, call: Call, id: string, signal: AbortSignal): Promise<void> {
  const result = await call(['delete', '--force', id], { timeoutMs: DELETE_TIMEOUT_MS, signal });
  // Not every runtime takes "force" for an answer to "there is none".
  if (result.status === 0 || (await isAbsent(call, id, signal))) return;
  throw failed(path, `delete --force ${id}`, result);
}

/** Only what the runtime says about its own state counts: one that fails for another reason knows nothing. */
async function isAbsent(call: Call, id: string, signal: AbortSignal): Promise<boolean> {
  const { status, stderr } = await call(['state', id], { timeoutMs: ASK_TIMEOUT_MS, signal });
  return status !== 0 && /does not exist|no such file/i.test(stderr);
}

/** As a shell has it: 128 and the number for what a signal ended. */
function statusOf({ status, signal }: RunResult): number {
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

function failed(path: string, words: string, { stderr, status, timedOut }: RunResult): RuntimeError {
  const said = printable(stderr.trim().replace(/\s+/g, ' ')).slice(0, 500);
  const why = timedOut ? 'no answer in time' : said || `status ${status}`;
  return new RuntimeError('RUNTIME_FAILED', `${printable(path)} ${words}: ${why}`, { subject: path });
}
