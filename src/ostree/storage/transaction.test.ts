import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { codeOf } from '../../base/error.ts';
import { objectPath } from '../objects/object-type.ts';
import { isPartial } from '../repository/partial.ts';
import { HEAD, readRef } from '../repository/refs.ts';
import { checksumNamed, emptyCommit, newRepository, reopened, SIGNAL } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { content, file, inTransaction, namesBelow, openDescriptors } from './storage.fixture.ts';
import { Transaction, withTransaction } from './transaction.ts';

const A = checksumNamed('a');

function objectsIn({ path }: Repository): string[] {
  return namesBelow(join(path, 'objects')).filter((name) => name.includes('.'));
}

async function isUnlocked(repository: Repository): Promise<boolean> {
  const other = await import('../repository/repository.ts').then(({ openRepository }) =>
    openRepository(repository.path),
  );
  try {
    (await other.lock.acquire('exclusive', { signal: SIGNAL, timeoutMs: 0 })).release();
    return true;
  } catch (error) {
    assert.equal(codeOf(error), 'LOCK_TIMEOUT');
    return false;
  } finally {
    other.close();
  }
}

describe('a transaction', () => {
  it('makes objects and refs visible at its end, and is over then', async (t) => {
    const repository = newRepository(t);
    const descriptors = openDescriptors();
    const checksum = await withTransaction(repository, { signal: SIGNAL }, async (transaction) => {
      const { writer } = transaction;
      const stored = writer.putFile(file(), content(10));
      transaction.setRef({ place: HEAD, ref: 'main', commit: A });
      assert.deepEqual(objectsIn(repository), []);
      assert.equal(readRef(repository, HEAD, 'main'), undefined);
      assert.equal(await isUnlocked(repository), false);
      return stored.checksum;
    });
    assert.deepEqual(objectsIn(repository), [objectPath(checksum, 'filez')]);
    assert.equal(readRef(repository, HEAD, 'main'), A);
    assert.deepEqual(namesBelow(join(repository.path, 'tmp')), []);
    assert.equal(await isUnlocked(repository), true);
    assert.equal(openDescriptors(), descriptors);
  });

  it('makes directories of objects that follow the umask, files that do not', async (t) => {
    const repository = newRepository(t);
    const umask = process.umask(0o027);
    t.after(() => process.umask(umask));
    await inTransaction(repository, ({ writer }) => {
      writer.putFile(file(), content(10));
      writer.putMetadata('dirtree', Buffer.from('00', 'hex'));
    });
    for (const name of namesBelow(join(repository.path, 'objects'))) {
      const stats = fs.statSync(join(repository.path, 'objects', name));
      assert.equal(stats.mode & 0o7777, stats.isDirectory() ? 0o750 : 0o644, name);
    }
  });

  it('that fails makes nothing visible; the next one goes on with what was staged', async (t) => {
    const repository = newRepository(t);
    const descriptors = openDescriptors();
    const failure = new Error('no');
    const failing = withTransaction(repository, { signal: SIGNAL }, async (transaction) => {
      transaction.writer.putFile(file(), content(10));
      transaction.setRef({ place: HEAD, ref: 'main', commit: A });
      throw failure;
    });
    await assert.rejects(failing, failure);
    assert.deepEqual([objectsIn(repository), readRef(repository, HEAD, 'main')], [[], undefined]);
    assert.equal(await isUnlocked(repository), true);
    assert.equal(openDescriptors(), descriptors);
    const again = await inTransaction(repository, ({ writer }) => writer.putFile(file(), content(10)));
    assert.equal(again.isNew, false);
    assert.equal(objectsIn(repository).length, 1);
    assert.deepEqual(namesBelow(join(repository.path, 'tmp')), []);
  });

  for (const code of ['ENOSPC', 'EDQUOT', 'DISK_FULL', 'MIN_FREE_SPACE']) {
    it(`that fails for ${code} leaves nothing`, async (t) => {
      const repository = newRepository(t);
      const cause = Object.assign(new Error(code), { code });
      const failing = inTransaction(repository, ({ writer }) => {
        writer.putFile(file(), content(10));
        throw new Error('outer', { cause });
      });
      await assert.rejects(failing, { message: 'outer' });
      assert.deepEqual(namesBelow(join(repository.path, 'tmp')), []);
    });
  }

  it('whose staged objects cannot be removed tells why it failed, and lets go of the repository', async (t) => {
    const repository = newRepository(t);
    const descriptors = openDescriptors();
    const full = Object.assign(new Error('full'), { code: 'DISK_FULL' });
    const rmSync = t.mock.method(fs, 'rmSync', () => {
      throw Object.assign(new Error('read only'), { code: 'EROFS' });
    });
    const work = withTransaction(repository, { signal: SIGNAL }, async ({ writer }) => {
      writer.putFile(file(), content(10));
      throw full;
    });
    await assert.rejects(work, full);
    rmSync.mock.restore();
    assert.equal(await isUnlocked(repository), true);
    assert.equal(openDescriptors(), descriptors);
  });

  it('that cannot begin leaves nothing behind', async (t) => {
    const repository = newRepository(t);
    const descriptors = openDescriptors();
    const broken = Object.assign(new Error('broken'), { code: 'EIO' });
    const statfs = t.mock.method(fs, 'statfsSync', () => {
      throw broken;
    });
    await assert.rejects(Transaction.begin(repository, { signal: SIGNAL }), broken);
    statfs.mock.restore();
    assert.deepEqual(namesBelow(join(repository.path, 'tmp')), []);
    assert.equal(openDescriptors(), descriptors);
    assert.equal(await isUnlocked(repository), true);
  });

  it('whose signal was aborted is not committed', async (t) => {
    const repository = newRepository(t);
    const abort = new AbortController();
    const work = withTransaction(repository, { signal: abort.signal }, async (transaction) => {
      transaction.setRef({ place: HEAD, ref: 'main', commit: A });
      abort.abort(new Error('stop'));
    });
    await assert.rejects(work, { message: 'stop' });
    assert.equal(readRef(repository, HEAD, 'main'), undefined);
    await assert.rejects(
      withTransaction(repository, { signal: abort.signal }, async () => undefined),
      { message: 'stop' },
    );
  });

  it('whose ref cannot be written has stored its objects, and ends', async (t) => {
    const repository = newRepository(t);
    const descriptors = openDescriptors();
    const failing = inTransaction(repository, (transaction) => {
      transaction.writer.putFile(file(), content(10));
      transaction.beginPartial(A);
      transaction.endPartial(A);
      transaction.setRef({ place: HEAD, ref: 'not a ref', commit: A });
    });
    await assert.rejects(failing, { code: 'REF_NAME' });
    assert.equal(objectsIn(repository).length, 1);
    assert.equal(isPartial(repository, A), true);
    assert.equal(await isUnlocked(repository), true);
    assert.equal(openDescriptors(), descriptors);
  });

  it('cannot be used after its end', async (t) => {
    const repository = newRepository(t);
    const transaction = await Transaction.begin(repository, { signal: SIGNAL });
    transaction.commit();
    transaction.abort();
    assert.throws(() => transaction.commit(), /unreachable/);
  });

  it('and another of the same process or the same handle are both whole', async (t) => {
    const repository = newRepository(t);
    for (const other of [repository, reopened(t, repository.path)]) {
      const before = objectsIn(repository).length;
      const [one, two] = [
        await Transaction.begin(repository, { signal: SIGNAL }),
        await Transaction.begin(other, { signal: SIGNAL }),
      ];
      const seed = 10 + before;
      const same = [one, two].map(({ writer }) => writer.putFile(file(), content(20, seed)).checksum);
      assert.equal(same[0], same[1]);
      one.writer.putFile(file(), content(30, seed));
      two.writer.putFile(file(), content(40, seed));
      one.setRef({ place: HEAD, ref: 'one', commit: A });
      one.commit();
      assert.equal(await isUnlocked(repository), false);
      two.setRef({ place: HEAD, ref: 'two', commit: A });
      two.commit();
      assert.equal(objectsIn(repository).length, before + 3);
      assert.equal(await isUnlocked(repository), true);
    }
    assert.deepEqual(namesBelow(join(repository.path, 'tmp')), []);
  });

  it('marks a partial commit before it gets its name, until it succeeded', async (t) => {
    const repository = newRepository(t);
    const begun = (): Promise<void> =>
      inTransaction(repository, (transaction) => {
        transaction.beginPartial(A);
        assert.equal(isPartial(repository, A), true);
        throw new Error('interrupted');
      });
    await assert.rejects(begun(), { message: 'interrupted' });
    assert.equal(isPartial(repository, A), true);
    await inTransaction(repository, (transaction) => transaction.beginPartial(A));
    assert.equal(isPartial(repository, A), true);
    await inTransaction(repository, (transaction) => transaction.endPartial(A));
    assert.equal(isPartial(repository, A), false);
  });

  it('removes the link of the transactions of old', async (t) => {
    const repository = newRepository(t);
    fs.symlinkSync('pid=1', join(repository.path, 'transaction'));
    await emptyCommit(repository, 'x');
    assert.equal(fs.lstatSync(join(repository.path, 'transaction'), { throwIfNoEntry: false }), undefined);
  });

  it('waits for whoever deletes, or gives up', async (t) => {
    const repository = newRepository(t);
    const other = reopened(t, repository.path);
    const held = await other.lock.acquire('exclusive', { signal: SIGNAL });
    const abort = new AbortController();
    let waits = 0;
    const waiting = withTransaction(
      repository,
      { signal: abort.signal, onWait: () => void waits++ },
      async () => undefined,
    );
    setTimeout(() => abort.abort(new Error('enough')), 30);
    await assert.rejects(waiting, { message: 'enough' });
    assert.equal(waits, 1);
    held.release();
    await inTransaction(repository, () => undefined);
  });

  it('makes tmp when it is missing', async (t) => {
    const repository = newRepository(t);
    fs.rmdirSync(join(repository.path, 'tmp'));
    await emptyCommit(repository, 'x');
    assert.equal(objectsIn(repository).length, 3);
  });
});
