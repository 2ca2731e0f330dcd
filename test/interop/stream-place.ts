/** A tree with everything that the export stream has rules for, its commit by the program ostree, and our program. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { unpackVector } from '../support/ostree-vectors.ts';
import { must, runOstreeContainer } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

export const LONG_NAME = 'n'.repeat(255);
/** Its entry has a pax header for its attribute, and a GNU one for its name. */
export const LONG_EMPTY = 'e'.repeat(255);

/** The tree of the vectors, and what the stream has rules of its own for. @returns its folder */
export function makeTree(t: TestContext): string {
  const tree = unpackVector(t, 'tree-v1');
  const at = (name: string): string => join(tree, 'usr', name);
  fs.mkdirSync(at('etc'), { mode: 0o750 });
  fs.writeFileSync(at('etc/conf'), 'conf\n');
  fs.mkdirSync(join(tree, 'sysroot'), { mode: 0o711 });
  fs.writeFileSync(at(LONG_NAME), 'long\n');
  fs.symlinkSync('x'.repeat(300), at('to-long'));
  fs.writeFileSync(at('twin'), 'twin\n');
  for (const name of ['twin-2', 'share/twin-3']) fs.copyFileSync(at('twin'), at(name));
  fs.writeFileSync(at('empty-2'), '');
  fs.writeFileSync(at(LONG_EMPTY), '');
  const script = 'import os, sys; os.setxattr(sys.argv[1], "user.note", b"x")';
  execFileSync('python3', ['-c', script, at(LONG_EMPTY)]);
  return tree;
}

export async function committed(t: TestContext, tree: string) {
  const folder = scratch(t);
  const repo = join(folder, 'repo');
  await must('ostree', ['init', `--repo=${repo}`, '--mode=archive']);
  await must('ostree', ['commit', `--repo=${repo}`, '-b', 'main', '-s', 'made', '--timestamp=@1700000000', tree]);
  const commit = (await must('ostree', ['rev-parse', `--repo=${repo}`, 'main'])).stdout.trim();
  return { folder, repo, commit };
}

export async function ours(...words: readonly string[]) {
  const ended = await runOstreeContainer(words);
  assert.equal(ended.status, 0, `${words.join(' ')}: ${ended.stderr}`);
  return ended;
}

export const listing = async (repo: string, rev: string): Promise<string> =>
  (await must('ostree', ['ls', `--repo=${repo}`, '-RXC', rev])).stdout;
