/** The program `ostree` and ours with the same words. */
import assert from 'node:assert/strict';
import { type Finished, run, runOstreeContainer } from '../support/program.ts';

export interface Both {
  readonly theirs: Finished;
  readonly ours: Finished;
}

/** Both with the same words: `ls --repo=R main`. They may share a repository, for this does not change it. */
export async function runBoth(words: readonly string[]): Promise<Both> {
  const theirs = await run('ostree', words);
  return { theirs, ours: await runOstreeContainer(['repo', ...words]) };
}

/** Both succeed and print the same bytes. */
export async function assertSameOutput(words: readonly string[]): Promise<void> {
  const { theirs, ours } = await runBoth(words);
  const name = words.join(' ');
  assert.equal(theirs.status, 0, `ostree ${name}: ${theirs.stderr}`);
  assert.equal(ours.status, 0, `${name}: ${ours.stderr}`);
  assert.deepEqual(ours.stdout, theirs.stdout, name);
  assert.ok(ours.bytes.equals(theirs.bytes), name);
}

/** The same lines in any order: where theirs is that of a hash table, or of the disk. */
export async function assertSameLines(words: readonly string[]): Promise<void> {
  const { theirs, ours } = await runBoth(words);
  const name = words.join(' ');
  assert.deepEqual([theirs.status, ours.status], [0, 0], `${name}: ${theirs.stderr} ${ours.stderr}`);
  assert.deepEqual(sortedLines(ours.stdout), sortedLines(theirs.stdout), name);
}

function sortedLines(text: string): string[] {
  return text.split('\n').sort();
}

/** Both refuse. @returns what ours says, as its first line without the program's name */
export async function assertBothFail(words: readonly string[]): Promise<string> {
  const { theirs, ours } = await runBoth(words);
  const name = words.join(' ');
  assert.notEqual(theirs.status, 0, `ostree ${name}`);
  assert.ok(ours.status !== 0 && ours.status !== null, name);
  return ours.stderr.split('\n')[0]?.replace(/^ostree-container: /, '') ?? '';
}
