/** Options that several commands share, and how their values are read. */
import { type Command, InvalidArgumentError } from 'commander';
import { decodeByteCount } from '../base/decode.ts';
import { parseTimeSpan } from '../base/time-span.ts';
import { UsageError } from './arguments.ts';
import type { Context } from './program.ts';

export interface LockValues {
  readonly lockTimeout?: number;
}

/** A second run waits for the first one, says so, and gives up. */
const LOCK_TIMEOUT_MS = 30_000;

export function lockOption(command: Command): Command {
  return command.option('--lock-timeout <time>', 'wait so long for another run (default: 30s)', readTime);
}

export function lockWait(values: LockValues, { output }: Context, what: string) {
  return {
    timeoutMs: values.lockTimeout ?? LOCK_TIMEOUT_MS,
    onWait: () => output.info(`${what}: another run is at work, waiting for it`),
  };
}

/** Repositories say themselves how long to wait. */
export function repoLockOption(command: Command): Command {
  return command.option(
    '--lock-timeout <time>',
    "wait so long for another run (default: the repository's lock-timeout-secs, 300s)",
    readTime,
  );
}

/** Without the option the repository's own configuration counts. */
export function repoLockWait({ lockTimeout }: LockValues, { output }: Context, { path }: { readonly path: string }) {
  return {
    timeoutMs: lockTimeout,
    onWait: () => output.info(`${path}: locked by another process, waiting for it`),
  };
}

export interface RepoValues {
  readonly repo?: string;
}

export function repoOption(command: Command): Command {
  return command.option('--repo <directory>', 'repository (default: $OSTREE_REPO)');
}

/** @throws UsageError when neither the option nor the environment names a repository */
export function repoPath(values: RepoValues, env: NodeJS.ProcessEnv = process.env): string {
  const path = values.repo ?? env['OSTREE_REPO'] ?? '';
  if (path === '') throw new UsageError('no repository is named', 'write --repo DIRECTORY, or set OSTREE_REPO');
  return path;
}

export interface TransferValues {
  readonly cacert?: string;
  readonly cert?: string;
  readonly certKey?: string;
  readonly limitRate?: number;
  readonly speedLimit?: number;
  readonly speedTime?: number;
  readonly connectTimeout?: number;
  readonly retry?: number;
}

/** Named as curl names them. */
export function transferOptions(command: Command): Command {
  return command
    .option('--cacert <file>', "trust the certificate authorities in this file instead of the system's")
    .option('--cert <file>', 'client certificate (PEM)')
    .option('--cert-key <file>', 'private key of the client certificate (PEM)')
    .option('--limit-rate <rate>', 'use at most so many bytes a second, such as 500K', readBytes)
    .option('--speed-limit <rate>', 'give up below so many bytes a second (default: 1K)', readBytes)
    .option('--speed-time <time>', '... for so long (default: 30s)', readTime)
    .option('--connect-timeout <time>', 'give up when no connection is made for so long (default: 30s)', readTime)
    .option('--retry <times>', 'try again so often after a temporary failure (default: 4)', readCount);
}

/** Settings for the HTTP client; what was not given is left to its defaults. */
export function httpSettings(values: TransferValues, userAgent: string, onNote: (text: string) => void) {
  return {
    caFile: values.cacert,
    certFile: values.cert,
    keyFile: values.certKey,
    limitRate: values.limitRate,
    minRate: values.speedLimit,
    minRateWindowMs: values.speedTime,
    connectTimeoutMs: values.connectTimeout,
    retries: values.retry,
    userAgent,
    onNote,
  };
}

function readBytes(text: string): number {
  const bytes = decodeByteCount(text);
  if (bytes === undefined || bytes === 0) throw new InvalidArgumentError('Expected bytes such as 500000, 500K or 2M.');
  return bytes;
}

function readTime(text: string): number {
  const span = parseTimeSpan(text);
  if (span === undefined) throw new InvalidArgumentError('Expected a time span such as 30s or 5min.');
  return span;
}

function readCount(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.');
  return Number(text);
}
