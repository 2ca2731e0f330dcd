/** Locks and transactions of ours beside those of the program `ostree` and of other processes of ours. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../src/base/error.ts';
import type { RepositoryMode } from '../../src/ostree/repository/config.ts';
import { lockForReading } from '../../src/ostree/repository/lock.ts';
import { listRefs } from '../../src/ostree/repository/refs.ts';
import { createRepository, openRepository, type Repository } from '../../src/ostree/repository/repository.ts';
import { withTransaction } from '../../src/ostree/storage/transaction.ts';
import { needs } from '../support/needs.ts';
import { must, type Running, run, runNode, startNode } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const peers = { skip: needs('ostree') };
const CHILD = join(import.meta.dirname, 'ostree-core-child.js');
const { signal } = new AbortController();

/** One that does not wait long for locks. */
function newRepository(t: TestContext, mode: RepositoryMode = 'archive'): Repository {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode });
  appendFileSync(join(path, 'config'), 'lock-timeout-secs=1\nmin-free-space-percent=0\n');
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

function treeWith(t: TestContext, names: readonly string[]): string {
  const tree = join(scratch(t), 'tree');
  mkdirSync(tree);
  for (const name of names) writeFileSync(join(tree, name), `content of ${name}\n`.repeat(20));
  return tree;
}

async function child(t: TestContext, { path }: Repository, what: string, ...words: string[]): Promise<Running> {
  const running = startNode(CHILD, [what, path, ...words]);
  t.after(() => running.kill());
  await running.says(/held|begun/);
  return running;
}

async function ended(running: Running): Promise<void> {
  running.kill();
  await running.done;
}

async function isFree({ lock }: Repository, kind: 'shared' | 'exclusive'): Promise<boolean> {
  try {
    (await lock.acquire(kind, { signal, timeoutMs: 0 })).release();
    return true;
  } catch (error) {
    assert.equal(codeOf(error), 'LOCK_TIMEOUT');
    return false;
  }
}

describe('the lock that another process holds', () => {
  it('keeps us out until it ends, however it ends', async (t) => {
    const repository = newRepository(t);
    const shared = await child(t, repository, 'lock', 'shared');
    assert.deepEqual([await isFree(repository, 'shared'), await isFree(repository, 'exclusive')], [true, false]);
    await ended(shared);
    assert.equal(await isFree(repository, 'exclusive'), true);
    const exclusive = await child(t, repository, 'lock', 'exclusive');
    assert.equal(await isFree(repository, 'shared'), false);
    await assert.rejects(repository.lock.acquire('shared', { signal }), { code: 'LOCK_TIMEOUT' });
    await ended(exclusive);
    assert.equal(await isFree(repository, 'exclusive'), true);
  });

  it('keeps ostree out as it should', peers, async (t) => {
    const repository = newRepository(t);
    const tree = treeWith(t, ['a']);
    const ostree = (...words: string[]) => run('ostree', [`--repo=${repository.path}`, ...words]);
    const shared = await child(t, repository, 'lock', 'shared');
    assert.equal((await ostree('commit', '-b', 'main', tree)).status, 0);
    assert.notEqual((await ostree('prune', '--refs-only')).status, 0);
    await ended(shared);
    const exclusive = await child(t, repository, 'lock', 'exclusive');
    assert.notEqual((await ostree('commit', '-b', 'main', tree)).status, 0);
    await ended(exclusive);
    assert.equal((await ostree('prune', '--refs-only')).status, 0);
    assert.equal((await ostree('commit', '-b', 'main', tree)).status, 0);
  });

  it('of a prune of ostree is waited for', { skip: needs('ostree', 'strace') }, async (t) => {
    const repository = newRepository(t);
    const { path } = repository;
    await must('ostree', [`--repo=${path}`, 'commit', '--orphan', treeWith(t, ['a', 'b'])]);
    const slow = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=unlinkat:delay_enter=700000:when=1'];
    const pruning = run('ostree', [`--repo=${path}`, 'prune', '--refs-only'], { prefix: slow });
    for (let left = 200; left > 0 && (await isFree(repository, 'shared')); left--) await sleep(10);
    assert.equal(await isFree(repository, 'shared'), false, 'prune has begun');
    let waits = 0;
    const options = { signal, onWait: () => void waits++ };
    appendFileSync(join(path, 'config'), 'lock-timeout-secs=20\n');
    const patient = openRepository(path);
    await withTransaction(patient, options, async () => undefined);
    patient.close();
    assert.equal(waits, 1);
    const { status, stdout } = await pruning;
    assert.equal(status, 0);
    assert.match(stdout, /Deleted [1-9]/);
  });
});

describe('a transaction of ours', () => {
  it('keeps prune of ostree away, and lets its commits through', peers, async (t) => {
    const repository = newRepository(t);
    const ostree = (...words: string[]) => run('ostree', [`--repo=${repository.path}`, ...words]);
    const open = await child(t, repository, 'transaction');
    const refused = await ostree('prune', '--refs-only');
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /lock/i);
    assert.equal((await ostree('commit', '-b', 'main', treeWith(t, ['a']))).status, 0);
    await ended(open);
    assert.equal((await ostree('prune', '--refs-only')).status, 0);
    assert.equal((await ostree('fsck')).status, 0);
  });

  for (const mode of ['archive', 'bare-user', 'bare-user-only'] satisfies RepositoryMode[]) {
    it(`and commits of ostree at once into one ${mode} repository are all whole`, peers, async (t) => {
      const repository = newRepository(t, mode);
      const { path } = repository;
      const same = Array.from({ length: 60 }, (_, i) => `f${i}`);
      const trees = [treeWith(t, same), treeWith(t, [...same, 'one more'])];
      const work = [
        ...trees.map((tree, i) => run('ostree', [`--repo=${path}`, 'commit', '-b', `theirs/${i}`, tree])),
        ...[0, 1].map((i) => runNode(CHILD, ['commit', path, `ours/${i}`, '1', `${100 + i}`, '1'])),
      ];
      for (const { status, stdout, stderr } of await Promise.all(work)) assert.equal(status, 0, stdout + stderr);
      const refs = listRefs(repository).map(({ ref }) => ref);
      assert.deepEqual(refs, ['ours/0', 'ours/1', 'theirs/0', 'theirs/1']);
      const fsck = await must('ostree', [`--repo=${path}`, 'fsck']);
      assert.match(fsck.stdout, /no errors found/);
      assert.deepEqual(
        readdirSync(join(path, 'tmp')).filter((name) => name.startsWith('staging')),
        [],
      );
      assert.deepEqual(readdirSync(join(path, 'state')), []);
    });
  }
});

describe('a repository on a read-only file system', { skip: needs('root', 'mount') }, () => {
  it('is read without a lock, and not written to', async (t) => {
    const { path } = newRepository(t);
    await must(process.execPath, [CHILD, 'commit', path, 'main', '1', '3', '1']);
    const readOnly = join(scratch(t), 'mounted');
    mkdirSync(readOnly);
    await must('mount', ['--bind', path, readOnly]);
    await must('mount', ['-o', 'remount,bind,ro', readOnly]);
    const repository = openRepository(readOnly);
    try {
      (await lockForReading(repository, { signal })).release();
      await assert.rejects(
        withTransaction(repository, { signal }, async () => undefined),
        { code: 'EROFS' },
      );
    } finally {
      repository.close();
    }
    const { stdout } = await must(process.execPath, [CHILD, 'read', readOnly, 'main']);
    assert.equal(stdout, 'f000000 1024\nf000001 1024\nf000002 1024\ndone\n');
  });
});
