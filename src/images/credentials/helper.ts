/**
 * Programs that keep credentials, `docker-credential-NAME`: the registry on stdin, JSON on stdout.
 * Source: the protocol of docker-credential-helpers. What they print on stdout never enters an error.
 */
import { printable, quote } from '../../base/text.ts';
import { findProgram } from '../../linux/processes/find-program.ts';
import { type RunResult, runProgram } from '../../linux/processes/spawn.ts';
import type { Credentials } from '../../registry/index.ts';
import { ImagesError } from '../error.ts';

/** Bytes; an answer is one login. */
const OUTPUT_LIMIT = 64 * 1024;
/** An agent may ask a person, a cloud's helper its own server. */
const TIMEOUT_MS = 30_000;
const NAME = /^[A-Za-z0-9_-]+$/;
/** The user name that says: the secret is an identity token. */
const TOKEN_USER = '<token>';
const NOT_FOUND = 'credentials not found in native keychain';

export interface HelperOptions {
  /** The whole environment: helpers find their agent, profile or session in it. */
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** For tests; 30 s. */
  readonly timeoutMs?: number | undefined;
}

export function helperProgram(name: string): string {
  return `docker-credential-${name}`;
}

/** Is the program there? @throws ImagesError CREDENTIAL_HELPER for what is no name */
export function hasHelper(name: string, { env }: HelperOptions): boolean {
  return pathOf(name, env) !== undefined;
}

/** Undefined when it has none for this registry. @throws ImagesError CREDENTIAL_HELPER */
export async function askHelper(
  name: string,
  registry: string,
  options: HelperOptions,
): Promise<Credentials | undefined> {
  const { env, signal, timeoutMs = TIMEOUT_MS } = options;
  const path = pathOf(name, env);
  if (path === undefined) {
    throw failed(name, 'no such program', { hint: 'install it, check PATH, or take it out of the credentials file' });
  }
  const result = await runProgram(path, ['get'], {
    env: Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined)),
    input: registry,
    timeoutMs,
    outputLimit: OUTPUT_LIMIT,
    signal,
  });
  if (result.timedOut) throw failed(name, `no answer within ${timeoutMs / 1000} s`);
  if (result.truncated) throw failed(name, `more than ${OUTPUT_LIMIT} bytes of output`);
  if (result.status !== 0) {
    if (result.stdout.trim() === NOT_FOUND) return undefined;
    throw failed(name, `${ending(result)}, asked for ${printable(registry)}`);
  }
  return answerOf(name, result.stdout);
}

/** By an absolute path, so that nothing in the current directory is run. */
function pathOf(name: string, env: NodeJS.ProcessEnv): string | undefined {
  if (!NAME.test(name)) {
    throw new ImagesError(
      'CREDENTIAL_HELPER',
      `credential helper ${quote(name)}: a name has only letters, digits, _ and -`,
      {
        subject: name,
      },
    );
  }
  return findProgram(helperProgram(name), env['PATH']);
}

/** How it ended, with what it said to people; the secret goes to stdout, so that is not shown. */
function ending({ status, signal, stderr }: RunResult): string {
  const said = stderr.trim().split('\n')[0] ?? '';
  const how = signal === null ? `ended with status ${status}` : `ended by ${signal}`;
  return said === '' ? how : `${how}: ${printable(said.slice(0, 200))}`;
}

function answerOf(name: string, stdout: string): Credentials | undefined {
  const { Username: username, Secret: secret } = parsed(name, stdout);
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw failed(name, 'no Username and Secret in its answer');
  if (secret === '') return undefined;
  if (username !== TOKEN_USER) return username === '' ? undefined : { kind: 'basic', username, password: secret };
  if (!/^[\x21-\x7e]+$/.test(secret)) throw failed(name, 'its token has other than visible ASCII characters');
  return { kind: 'identity-token', token: secret };
}

function parsed(name: string, stdout: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(stdout);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Named below, without the cause: it would quote the output.
  }
  throw failed(name, 'its answer is not a JSON object');
}

function failed(name: string, why: string, details: { readonly hint?: string } = {}): ImagesError {
  const program = helperProgram(name);
  return new ImagesError('CREDENTIAL_HELPER', `${program}: ${why}`, { subject: program, ...details });
}
