/** `ostree-container image` as tests run it, and what skopeo sees of the results. */
import { join } from 'node:path';
import { type Finished, must, type NodeOptions, runOstreeContainer, startOstreeContainer } from '../support/program.ts';

/** Which image may be used is a subject of its own tests. */
const COPY = ['copy', '--insecure-policy'] as const;

export function runImage(words: readonly string[], options?: NodeOptions): Promise<Finished> {
  return runOstreeContainer(['image', ...words], options);
}

export function runCopy(words: readonly string[], options?: NodeOptions): Promise<Finished> {
  return runImage([...COPY, ...words], options);
}

export function startCopy(words: readonly string[], options?: NodeOptions) {
  return startOstreeContainer(['image', ...COPY, ...words], options);
}

/** One that has to succeed. @returns the digest that it printed */
export async function copied(words: readonly string[], options?: NodeOptions): Promise<string> {
  const ended = await runCopy(words, options);
  if (ended.status !== 0) throw new Error(`image copy ${words.join(' ')}: status ${ended.status}: ${ended.stderr}`);
  return ended.stdout.trim();
}

/** `code` of the `error/1` document, with the status. */
export async function refusalOf(
  words: readonly string[],
  options?: NodeOptions,
): Promise<readonly [number | null, string]> {
  const ended = await runImage([...words, '--json'], options);
  const { code = '' } = JSON.parse(ended.stdout || '{}') as { readonly code?: string };
  return [ended.status, code];
}

/** Words for a registry without TLS. */
export const PLAIN_SOURCE = '--src-tls-verify=false';
export const PLAIN_DESTINATION = '--dest-tls-verify=false';

const SKOPEO = ['--insecure-policy', '--command-timeout', '30s'] as const;

export async function skopeoCopy(...words: readonly string[]): Promise<void> {
  await must('skopeo', [...SKOPEO, 'copy', '-q', '--src-tls-verify=false', '--dest-tls-verify=false', ...words]);
}

export async function skopeoRaw(name: string, ...words: readonly string[]): Promise<Buffer> {
  return (await must('skopeo', [...SKOPEO, 'inspect', '--tls-verify=false', '--raw', ...words, name])).bytes;
}

/** Fast and short: what is tried is not patience. */
export const IMPATIENT = ['--retry=1', '--speed-time=1s', '--connect-timeout=5s'] as const;

export const at = (folder: string, name: string): string => join(folder, name);
