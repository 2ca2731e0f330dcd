/** Several programs that change one repository at once: ours, and the reference beside ours. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { needs } from '../support/needs.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { must, type Running, start, startOstreeContainer } from '../support/program.ts';
import { makeScratch, removeTree, scratch } from '../support/scratch.ts';
import { assertNoLitter, assertSound, assertTmpEmpty, makeRepository, ostree, ours, refsOf } from './ostree-place.ts';

const skip = needs('ostree', 'nginx', 'tar', 'root');

const folder = makeScratch();
const server = join(folder, 'server');
let nginx: Nginx | undefined;
if (skip === false) {
  const tree = join(folder, 'tree');
  fs.mkdirSync(tree);
  for (let i = 0; i < 4; i++) fs.writeFileSync(join(tree, `file-${i}`), randomBytes(100_000));
  await makeRepository(server, 'archive');
  await ostree(server, 'commit', '-b', 'main', tree);
  // Some two seconds for each of these files: time for the other program to come.
  nginx = await startNginx({ root: server, extraServer: 'limit_rate 50k;' });
}
after(async () => {
  await nginx?.stop();
  removeTree(folder);
});

type Program = 'ours' | 'ostree';

function begin(program: Program, repo: string, ...words: readonly string[]): Running {
  const [command = '', ...rest] = words;
  if (program === 'ostree') return start('ostree', [`--repo=${repo}`, ...words]);
  return startOstreeContainer(['repo', command, '--repo', repo, ...rest]);
}

/** Programs in the middle of a transaction, of either kind. */
function transactions(repo: string): number {
  const names = fs.readdirSync(join(repo, 'tmp'));
  return names.filter((name) => /^staging-.*(?<!-lock)$/.test(name)).length;
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    assert.ok(tries < 1000, `not within 20 s: ${what}`);
    await delay(20);
  }
}

async function succeeded(running: Running): Promise<number> {
  const { status, stderr } = await running.done;
  assert.equal(status, 0, stderr);
  return performance.now();
}

/** Nothing wrong in the eyes of both programs, and nothing left over. */
async function assertClean(repo: string): Promise<void> {
  await assertSound(repo);
  const { status, stderr } = await ours(repo, 'fsck');
  assert.equal(status, 0, stderr);
  assertNoLitter(repo);
  assertTmpEmpty(repo);
}

/** A tree of its own in a tar archive, and a FIFO that holds the commit still which reads it. */
async function heldArchive(root: string, name: string): Promise<{ readonly fifo: string; readonly archive: Buffer }> {
  const tree = join(root, `${name}-tree`);
  fs.mkdirSync(tree);
  fs.writeFileSync(join(tree, name), randomBytes(20_000));
  fs.writeFileSync(join(tree, 'common'), 'the same in both\n');
  await must('tar', ['-C', tree, '-cf', join(root, `${name}.tar`), '.']);
  const fifo = join(root, `${name}.fifo`);
  await must('mkfifo', [fifo]);
  return { fifo, archive: fs.readFileSync(join(root, `${name}.tar`)) };
}

describe('two commits at once', { skip }, () => {
  for (const [first, second] of [
    ['ours', 'ours'],
    ['ours', 'ostree'],
  ] as const) {
    it(`of ${first} and ${second} are both there`, async (t: TestContext) => {
      const root = scratch(t);
      const repo = join(root, 'repo');
      await makeRepository(repo, 'bare');
      const one = await heldArchive(root, 'one');
      const two = await heldArchive(root, 'two');
      const commits = [
        begin(first, repo, 'commit', '-b', 'one', `--tree=tar=${one.fifo}`),
        begin(second, repo, 'commit', '-b', 'two', `--tree=tar=${two.fifo}`),
      ];
      const pipes = [one, two].map(({ fifo }) => fs.createWriteStream(fifo));
      for (const [i, { archive }] of [one, two].entries()) pipes[i]?.write(archive.subarray(0, 10_000));
      await until('two transactions', () => transactions(repo) === 2);
      for (const [i, { archive }] of [one, two].entries()) pipes[i]?.end(archive.subarray(10_000));
      await Promise.all(commits.map(succeeded));
      assert.deepEqual(Object.keys(refsOf(repo)), ['heads/one', 'heads/two']);
      await assertClean(repo);
      for (const name of ['one', 'two']) {
        const { stdout } = await ostree(repo, 'ls', '-R', name);
        assert.match(stdout, new RegExp(`/${name}\\n`));
      }
    });
  }
});

/** With a commit that no ref leads to. */
async function clientOf(root: string): Promise<{ readonly repo: string; readonly orphan: string }> {
  const repo = join(root, 'repo');
  await makeRepository(repo, 'bare');
  await ostree(repo, 'remote', 'add', '--no-gpg-verify', 'origin', nginx?.url ?? '');
  fs.mkdirSync(join(root, 'old'));
  fs.writeFileSync(join(root, 'old/file'), 'old\n');
  const { stdout } = await ostree(repo, 'commit', '--orphan', join(root, 'old'));
  const commit = stdout.trim();
  return { repo, orphan: join(repo, 'objects', commit.slice(0, 2), `${commit.slice(2)}.commit`) };
}

describe('prune beside a pull', { skip, concurrency: 3 }, () => {
  for (const [pruner, puller] of [
    ['ours', 'ours'],
    ['ours', 'ostree'],
    ['ostree', 'ours'],
  ] as const) {
    it(`of ${puller}: ${pruner} waits, and takes nothing that was pulled`, async (t: TestContext) => {
      const { repo, orphan } = await clientOf(scratch(t));
      const pull = begin(puller, repo, 'pull', 'origin', 'main');
      await until('a transaction', () => transactions(repo) === 1);
      const prune = begin(pruner, repo, 'prune', '--refs-only');
      const [pulled, pruned] = await Promise.all([succeeded(pull), succeeded(prune)]);
      assert.ok(pruned > pulled, 'the prune has waited for the pull');
      assert.ok(refsOf(repo)['remotes/origin/main']);
      assert.ok(!fs.existsSync(orphan), 'and then has pruned');
      await assertClean(repo);
    });
  }

  it('gives up with status 4 when the pull takes too long', async (t: TestContext) => {
    const { repo, orphan } = await clientOf(scratch(t));
    await ostree(repo, 'config', 'set', 'core.lock-timeout-secs', '1');
    const pull = begin('ours', repo, 'pull', 'origin', 'main');
    await until('a transaction', () => transactions(repo) === 1);
    const { status, stdout } = await begin('ours', repo, 'prune', '--refs-only', '--json').done;
    assert.deepEqual([status, (JSON.parse(stdout) as { code: string }).code], [4, 'LOCK_TIMEOUT']);
    assert.ok(fs.existsSync(orphan));
    await succeeded(pull);
    await assertClean(repo);
  });
});
