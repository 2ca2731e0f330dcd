/** A repository as the program ostree makes it: signed commits, a delta, a summary that nobody signed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gpgHome } from '../../src/trust/openpgp/gpg.fixture.ts';
import { must } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

export const SUBJECT = '<script>alert(1)</script> & "more"';

export interface Origin {
  readonly folder: string;
  readonly repo: string;
  readonly key: string;
  readonly first: string;
  readonly second: string;
}

export const ostree = async (...words: readonly string[]) => (await must('ostree', words)).stdout.trim();

/** Two signed commits by the program ostree, a delta between them, a summary without signature. */
export async function signedOrigin(t: TestContext): Promise<Origin> {
  const folder = scratch(t);
  const [repo, tree, key] = ['repo', 'tree', 'key.gpg'].map((name) => join(folder, name)) as [string, string, string];
  const gpg = gpgHome(t);
  const fingerprint = gpg.makeKey('Release <release@example.com>', 'rsa2048');
  writeFileSync(key, gpg.publicKeys(fingerprint));
  const home = join(folder, 'home');
  mkdirSync(home, { mode: 0o700 });
  await must('gpg', ['--homedir', home, '--batch', '--import'], { input: gpg.secretKeys(fingerprint) });
  t.after(() => must('gpgconf', ['--homedir', home, '--kill', 'all']).then(() => undefined));
  await ostree('init', `--repo=${repo}`, '--mode=archive');
  const commit = (subject: string) =>
    ostree(
      'commit',
      `--repo=${repo}`,
      '-b',
      'os/main',
      '-s',
      subject,
      `--gpg-sign=${fingerprint}`,
      `--gpg-homedir=${home}`,
      `--tree=dir=${tree}`,
    );
  mkdirSync(join(tree, 'usr'), { recursive: true });
  for (let i = 0; i < 40; i++) writeFileSync(join(tree, `usr/f${i}`), `${i}\n`.repeat(500));
  writeFileSync(join(tree, 'usr/large'), Buffer.alloc(3_000_000, 'abcdefg'));
  const first = await commit('first');
  writeFileSync(join(tree, 'usr/f1'), 'changed\n');
  const second = await commit(SUBJECT);
  await ostree('static-delta', 'generate', `--repo=${repo}`, 'os/main');
  await ostree('summary', '-u', `--repo=${repo}`);
  return { folder, repo, key, first, second };
}

/** A repository of the stock client with a remote `o`; for its option `--repo`. */
export async function client(
  folder: string,
  name: string,
  url: string,
  ...options: readonly string[]
): Promise<string> {
  const repo = join(folder, name);
  await ostree('init', `--repo=${repo}`, '--mode=bare-user');
  await ostree('remote', 'add', `--repo=${repo}`, ...options, 'o', url);
  return `--repo=${repo}`;
}
