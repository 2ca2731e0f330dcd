/** Several programs that change one repository at once: ours, and the reference beside ours. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { needs } from '../support/needs.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { must, OSTREE_CONTAINER, type Running, start } from '../support/program.ts';
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

function commandLine(program: Program, repo: string, words: readonly string[]): readonly [string, ...string[]] {
  const [command = '', ...rest] = words;
  if (program === 'ostree') return ['ostree', `--repo=${repo}`, ...words];
  return [process.execPath, OSTREE_CONTAINER, 'repo', command, '--repo', repo, ...rest];
}

function begin(program: Program, repo: string, ...words: readonly string[]): Running {
  const [file, ...args] = commandLine(program, repo, words);
  return start(file, args);
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

interface HeldCommit {
  readonly commit: Running;
  /** Let it come to its end. */
  release(): void;
}

/** A commit of a tree of its own from a pipe, which holds it still when half of the archive is through. */
async function heldCommit(program: Program, root: string, repo: string, name: string): Promise<HeldCommit> {
  const tree = join(root, `${name}-tree`);
  fs.mkdirSync(tree);
  fs.writeFileSync(join(tree, name), randomBytes(20_000));
  fs.writeFileSync(join(tree, 'common'), 'the same in both\n');
  await must('tar', ['-C', tree, '-cf', join(root, `${name}.tar`), '.']);
  const archive = fs.readFileSync(join(root, `${name}.tar`));
  const fifo = join(root, `${name}.fifo`);
  await must('mkfifo', [fifo]);
  const fd = fs.openSync(fifo, 'r+'); // open at both ends: nobody waits for the other; a pipe holds 64 KiB
  fs.writeSync(fd, archive, 0, 10_000);
  const words = ['commit', '-b', name, '--tree=tar=-'];
  const [file, ...args] = commandLine(program, repo, words);
  return {
    commit: start('sh', ['-c', `exec "$@" < ${fifo}`, 'sh', file, ...args]),
    release() {
      fs.writeSync(fd, archive, 10_000);
      fs.closeSync(fd);
    },
  };
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
      const one = await heldCommit(first, root, repo, 'one');
      const two = await heldCommit(second, root, repo, 'two');
      await until('two transactions', () => transactions(repo) === 2);
      one.release();
      two.release();
      await Promise.all([succeeded(one.commit), succeeded(two.commit)]);
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
    pull.kill('SIGSTOP');
    const { status, stdout } = await begin('ours', repo, 'prune', '--refs-only', '--json').done;
    assert.deepEqual([status, (JSON.parse(stdout) as { code: string }).code], [4, 'LOCK_TIMEOUT']);
    assert.ok(fs.existsSync(orphan));
    pull.kill('SIGCONT');
    await succeeded(pull);
    await assertClean(repo);
  });
});
