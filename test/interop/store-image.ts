/** Images on top of an OSTree commit: made by hand, by umoci and by podman; stored, and judged by the program ostree. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SampleEntry, sampleTar } from '../support/oci-image.ts';
import { type Finished, must, runOstreeContainer } from '../support/program.ts';

/** What a commit that can run a shell needs, so that podman builds on it. */
export const SHELL = '/bin/busybox';

/** One pull that has to succeed. @returns its document */
export async function stored(repo: string, image: string, ...words: readonly string[]): Promise<StoredDocument> {
  const ended = await runPull(repo, image, ...words);
  if (ended.status !== 0) throw new Error(`pull ${image}: status ${ended.status}: ${ended.stderr}${ended.stdout}`);
  return JSON.parse(ended.stdout) as StoredDocument;
}

export function runPull(repo: string, image: string, ...words: readonly string[]): Promise<Finished> {
  return runOstreeContainer(['container', 'image', 'pull', repo, image, '--json', ...words]);
}

export interface StoredDocument {
  readonly commit: string;
  readonly baseCommit: string | null;
  readonly isNew: boolean;
  readonly fetchedLayers: number;
  readonly filtered: Readonly<Record<string, number>>;
}

/** Paths of a commit, with the target of links, as the program ostree lists them. */
export async function pathsOf(repo: string, commit: string): Promise<string[]> {
  const { stdout } = await must('ostree', ['ls', `--repo=${repo}`, '-R', commit]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^(.)\S+ +\d+ +\d+ +\d+ /, '$1 '))
    .sort();
}

/** What the program ostree makes of a commit and of layers that are written as it wants them. */
export async function oracle(
  folder: string,
  repo: string,
  base: string,
  layers: readonly (readonly SampleEntry[])[],
): Promise<string[]> {
  const target = join(folder, 'oracle');
  await must('ostree', ['checkout', `--repo=${repo}`, '-U', base, target]);
  for (const [i, entries] of layers.entries()) {
    const tar = join(folder, `layer-${i}.tar`);
    writeFileSync(tar, await sampleTar(entries));
    const commit = ['commit', `--repo=${repo}`, '--orphan', '-s', '', `--tree=tar=${tar}`, '--tar-autocreate-parents'];
    const { stdout } = await must('ostree', commit);
    await must('ostree', ['checkout', `--repo=${repo}`, '-U', '--union', '--whiteouts', stdout.trim(), target]);
  }
  await must('ostree', ['commit', `--repo=${repo}`, '-b', 'oracle', '-s', '', target]);
  return pathsOf(repo, 'oracle');
}

export const unverified = (name: string): string => `ostree-unverified-image:${name}`;

export async function fsck(repo: string): Promise<void> {
  await must('ostree', ['fsck', `--repo=${repo}`, '-q']);
}
