import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { lockForReading } from './lock.ts';
import { newRepository, reopened, SIGNAL } from './repository.fixture.ts';
import type { Repository } from './repository.ts';

const ONCE = { signal: SIGNAL, timeoutMs: 0 };
const TIMEOUT = { code: 'LOCK_TIMEOUT' };

/** Two handles of one repository: as if of two processes. */
function pair(t: TestContext): [mine: Repository, theirs: Repository] {
  const repository = newRepository(t);
  return [repository, reopened(t, repository.path)];
}

async function isFree({ lock }: Repository, kind: 'shared' | 'exclusive'): Promise<boolean> {
  try {
    (await lock.acquire(kind, ONCE)).release();
    return true;
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'LOCK_TIMEOUT');
    return false;
  }
}

describe('the lock of a repository', () => {
  it('is a file of mode 0660 made on demand', async (t) => {
    const umask = process.umask(0o002);
    t.after(() => process.umask(umask));
    const repository = newRepository(t);
    const file = join(repository.path, '.lock');
    assert.equal(fs.existsSync(file), false);
    (await repository.lock.acquire('shared', ONCE)).release();
    assert.equal(fs.statSync(file).mode & 0o7777, 0o660);
  });

  it('is shared by readers, and keeps whoever deletes away', async (t) => {
    const [mine, theirs] = pair(t);
    const held = await mine.lock.acquire('shared', ONCE);
    assert.deepEqual([await isFree(theirs, 'shared'), await isFree(theirs, 'exclusive')], [true, false]);
    held.release();
    held.release();
    assert.equal(await isFree(theirs, 'exclusive'), true);
    const alone = await mine.lock.acquire('exclusive', ONCE);
    assert.deepEqual([await isFree(theirs, 'shared'), await isFree(theirs, 'exclusive')], [false, false]);
    alone.release();
  });

  it('is re-entrant: the last one who leaves frees it', async (t) => {
    const [mine, theirs] = pair(t);
    const held = [await mine.lock.acquire('shared', ONCE), await mine.lock.acquire('shared', ONCE)];
    held[0]?.release();
    held[0]?.release();
    assert.equal(await isFree(theirs, 'exclusive'), false);
    held[1]?.release();
    assert.equal(await isFree(theirs, 'exclusive'), true);
  });

  it('is upgraded by a nested exclusive request, and goes back after it', async (t) => {
    const [mine, theirs] = pair(t);
    const shared = await mine.lock.acquire('shared', ONCE);
    const exclusive = await mine.lock.acquire('exclusive', ONCE);
    const inner = await mine.lock.acquire('shared', ONCE);
    assert.equal(await isFree(theirs, 'shared'), false);
    exclusive.release();
    assert.deepEqual([await isFree(theirs, 'shared'), await isFree(theirs, 'exclusive')], [true, false]);
    inner.release();
    shared.release();
    assert.equal(await isFree(theirs, 'exclusive'), true);
  });

  it('stays exclusive when the outer shared one leaves first', async (t) => {
    const [mine, theirs] = pair(t);
    const shared = await mine.lock.acquire('shared', ONCE);
    const exclusive = await mine.lock.acquire('exclusive', ONCE);
    shared.release();
    assert.equal(await isFree(theirs, 'shared'), false);
    exclusive.release();
    assert.equal(await isFree(theirs, 'exclusive'), true);
  });

  it('that cannot be upgraded in time stays shared', async (t) => {
    const [mine, theirs] = pair(t);
    const [a, b] = [await mine.lock.acquire('shared', ONCE), await theirs.lock.acquire('shared', ONCE)];
    await assert.rejects(mine.lock.acquire('exclusive', { signal: SIGNAL, timeoutMs: 30 }), TIMEOUT);
    b.release();
    assert.equal(await isFree(theirs, 'exclusive'), false);
    a.release();
    assert.equal(await isFree(theirs, 'exclusive'), true);
  });

  it('whose holder leaves while another request of the same handle waits to upgrade is free for others', async (t) => {
    const [mine, theirs] = pair(t);
    const [a, b] = [await mine.lock.acquire('shared', ONCE), await theirs.lock.acquire('shared', ONCE)];
    const upgraded = mine.lock.acquire('exclusive', { signal: SIGNAL, timeoutMs: 5000 });
    await sleep(20);
    a.release();
    const [one, two] = [fs.openSync('/dev/null', 'r'), fs.openSync('/dev/null', 'r')]; // would take the number of a closed one
    t.after(() => [one, two].map((fd) => fs.closeSync(fd)));
    (await theirs.lock.acquire('exclusive', ONCE)).release();
    b.release();
    const held = await upgraded;
    assert.equal(await isFree(theirs, 'shared'), false);
    held.release();
    assert.equal(await isFree(theirs, 'exclusive'), true);
  });

  it('is not kept by a request that gave up after the holder had left', async (t) => {
    const [mine, theirs] = pair(t);
    const before = fs.readdirSync('/proc/self/fd').length;
    const [a, b] = [await mine.lock.acquire('shared', ONCE), await theirs.lock.acquire('shared', ONCE)];
    const upgraded = mine.lock.acquire('exclusive', { signal: SIGNAL, timeoutMs: 60 });
    await sleep(20);
    a.release();
    await assert.rejects(upgraded, TIMEOUT);
    b.release();
    assert.equal(await isFree(theirs, 'exclusive'), true);
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
  });

  it('is waited for, and the wait is told once', async (t) => {
    const [mine, theirs] = pair(t);
    const held = await theirs.lock.acquire('exclusive', ONCE);
    let told = 0;
    const waiting = mine.lock.acquire('shared', { signal: SIGNAL, timeoutMs: 5000, onWait: () => void told++ });
    await sleep(50);
    held.release();
    (await waiting).release();
    assert.equal(told, 1);
  });

  it('is given up after the timeout of the config', async (t) => {
    const { path } = newRepository(t);
    fs.appendFileSync(join(path, 'config'), 'lock-timeout-secs=0\n');
    const [mine, theirs] = [reopened(t, path), reopened(t, path)];
    const held = await theirs.lock.acquire('exclusive', { signal: SIGNAL });
    await assert.rejects(mine.lock.acquire('shared', { signal: SIGNAL }), TIMEOUT);
    held.release();
  });

  it('is not waited for after an abort, whether it is our turn or not', async (t) => {
    const [mine, theirs] = pair(t);
    const held = await theirs.lock.acquire('exclusive', ONCE);
    const [first, second] = [new AbortController(), new AbortController()];
    const reason = new Error('enough');
    const a = mine.lock.acquire('shared', { signal: first.signal });
    const b = mine.lock.acquire('shared', { signal: second.signal });
    second.abort(reason);
    await assert.rejects(b, reason);
    first.abort(reason);
    await assert.rejects(a, reason);
    await assert.rejects(mine.lock.acquire('shared', { signal: first.signal }), reason);
    held.release();
    assert.equal(await isFree(theirs, 'exclusive'), true);
  });

  it('is free when the thread that held it was ended', async (t) => {
    const repository = newRepository(t);
    const worker = new Worker(
      `const { workerData: { url, path }, parentPort } = require('node:worker_threads');
       import(url).then(async ({ openRepository }) => {
         await openRepository(path).lock.acquire('exclusive', { signal: new AbortController().signal });
         parentPort.postMessage('held');
       });
       setInterval(() => undefined, 1000);`,
      { eval: true, workerData: { url: import.meta.resolve('./repository.js'), path: repository.path } },
    );
    await once(worker, 'message');
    assert.equal(await isFree(repository, 'shared'), false);
    await worker.terminate();
    assert.equal(await isFree(repository, 'exclusive'), true);
  });
});

describe('the lock of a reader', () => {
  it('keeps whoever deletes away', async (t) => {
    const [mine, theirs] = pair(t);
    const held = await lockForReading(mine, { signal: SIGNAL });
    assert.equal(await isFree(theirs, 'exclusive'), false);
    held.release();
    assert.equal(await isFree(theirs, 'exclusive'), true);
  });

  it('is none where locking is off, or the repository cannot be written to', async (t) => {
    const { path } = newRepository(t);
    const theirs = reopened(t, path);
    const held = await theirs.lock.acquire('exclusive', ONCE);
    fs.appendFileSync(join(path, 'config'), 'locking=false\n');
    const unlocked = reopened(t, path);
    (await lockForReading(unlocked, { signal: SIGNAL })).release();
    held.release();
    for (const code of ['EACCES', 'EROFS', 'EPERM']) {
      const lock = { acquire: () => Promise.reject(Object.assign(new Error(code), { code })) };
      const reader = { lock: lock as unknown as Repository['lock'], config: { locking: true } };
      (await lockForReading(reader, { signal: SIGNAL })).release();
    }
    const lock = { acquire: () => Promise.reject(Object.assign(new Error('io'), { code: 'EIO' })) };
    const broken = { lock: lock as unknown as Repository['lock'], config: { locking: true } };
    await assert.rejects(lockForReading(broken, { signal: SIGNAL }), { code: 'EIO' });
  });
});
