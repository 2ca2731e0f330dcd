import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { CHECKOUT, runNode } from '../../../test/support/program.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { checksumNamed, newRepository } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { content, file, inTransaction, link, namesBelow, xattr } from '../storage/storage.fixture.ts';
import { openPool, type Pool, threadsFor } from './pool.ts';
import type { FilesBatch, FileToStore } from './store-files.ts';

const MISSING = checksumNamed('missing');

function reading(t: TestContext, repository: Repository, threads: number): Pool {
  const pool = openPool({ read: objectsOf(repository).places }, threads);
  t.after(() => pool.close());
  return pool;
}

/** Work for a while: files of some MiB to hash. */
async function large(repository: Repository): Promise<{ objects: { checksum: string; type: 'file' }[] }> {
  const { checksum } = await inTransaction(repository, ({ writer }) => writer.putFile(file(), content(4 * 2 ** 20)));
  return { objects: Array.from({ length: 20 }, () => ({ checksum, type: 'file' })) };
}

function fileOf(size: number, seed: number): FileToStore {
  return {
    header: file(),
    size,
    source: { kind: 'bytes', bytes: new Uint8Array(content(size, seed)) },
    name: `${seed}`,
  };
}

describe('the number of threads', () => {
  it('is 0 for little work, and never 1', () => {
    assert.deepEqual([threadsFor(1999), threadsFor(10 ** 6, 0), threadsFor(10 ** 6, 1)], [0, 0, 0]);
    for (const limit of [2, 4, 100]) assert.ok([0, 2, 3, 4].includes(threadsFor(10 ** 6, limit)));
  });
});

for (const threads of [0, 2]) {
  describe(`a pool of ${threads} threads`, () => {
    it('gives each batch its results, in the order of its objects', async (t) => {
      const repository = newRepository(t);
      const batches: FilesBatch[] = Array.from({ length: 12 }, (_, i) => ({
        files: Array.from({ length: 20 }, (_, k) => fileOf(i === 0 ? 300_000 : 100, 1000 * i + k)),
      }));
      const expected = await inTransaction(repository, ({ writer }) =>
        batches.map(({ files }) =>
          files.map(
            ({ header, source }) =>
              writer.putFile(header, source.kind === 'bytes' ? source.bytes : content(0)).checksum,
          ),
        ),
      );
      const other = newRepository(t);
      await inTransaction(other, async ({ place }) => {
        const pool = openPool({ write: place }, threads);
        try {
          const results = await Promise.all(batches.map((batch) => pool.run('store-files', batch)));
          assert.deepEqual(
            results.map(({ stored }) => stored.map(({ checksum }) => checksum)),
            expected,
          );
        } finally {
          await pool.close();
        }
      });
      const objects = (path: string): string[] => namesBelow(join(path, 'objects'));
      assert.deepEqual(objects(other.path), objects(repository.path));
    });

    it('passes errors on with their codes', async (t) => {
      const repository = newRepository(t);
      const pool = reading(t, repository, threads);
      await assert.rejects(pool.run('diff-files', { way: 'bsdiff', pairs: [{ from: MISSING, to: MISSING }] }), {
        code: 'OBJECT_MISSING',
        subject: MISSING,
      });
      const { found: findings } = await pool.run('fsck-objects', { objects: [{ checksum: MISSING, type: 'commit' }] });
      assert.deepEqual(
        findings.map(({ kind }) => kind),
        ['missing'],
      );
      await inTransaction(repository, async ({ place }) => {
        const writing = openPool({ write: place }, threads);
        try {
          const path = join(scratch(t), 'none');
          const absent: FileToStore = { header: file(), size: 1, source: { kind: 'path', path }, name: path };
          await assert.rejects(writing.run('store-files', { files: [absent] }), { code: 'ENOENT', errno: -2, path });
          fs.writeFileSync(path, 'longer');
          await assert.rejects(writing.run('store-files', { files: [absent] }), {
            code: 'FILE_CHANGED',
            subject: path,
          });
          fs.writeFileSync(path, '');
          await assert.rejects(writing.run('store-files', { files: [absent] }), { code: 'FILE_CHANGED' });
          fs.writeFileSync(path, 'x');
          const { ino, mtimeMs } = fs.statSync(path);
          const changed = {
            ...absent,
            source: { kind: 'path', path, expected: { ino, mtimeMs: mtimeMs - 1 } },
          } as const;
          await assert.rejects(writing.run('store-files', { files: [changed] }), { code: 'FILE_CHANGED' });
        } finally {
          await writing.close();
        }
      });
    });

    it('can be closed twice', async (t) => {
      const pool = reading(t, newRepository(t), threads);
      await pool.run('fsck-objects', { objects: [] });
      await pool.close();
      await pool.close();
    });
  });
}

describe('attributes and links', { skip: needs('root') }, () => {
  it('reach a thread as they are', async (t) => {
    const repository = newRepository(t, 'bare');
    const headers = [
      file({ uid: 3, xattrs: [xattr('user.a', 'b')] }),
      link('x', { gid: 4, xattrs: [xattr('trusted.c', 'd')] }),
    ];
    const expected = await inTransaction(repository, ({ writer }) =>
      headers.map((header) => writer.putFile(header, new Uint8Array()).checksum),
    );
    const other = newRepository(t, 'bare');
    await inTransaction(other, async ({ place }) => {
      const pool = openPool({ write: place }, 1);
      const files = headers.map((header): FileToStore => {
        return { header, size: 0, source: { kind: 'bytes', bytes: new Uint8Array() }, name: 'x' };
      });
      const { stored } = await pool.run('store-files', { files });
      assert.deepEqual(
        stored.map(({ checksum }) => checksum),
        expected,
      );
      await pool.close();
    });
  });
});

describe('a pool with threads', () => {
  it('takes work until three batches wait for each thread', async (t) => {
    const repository = newRepository(t);
    const pool = reading(t, repository, 2);
    const batch = await large(repository);
    const running: Promise<unknown>[] = [];
    let done = 0;
    for (let i = 0; i < 6; i++) {
      await pool.ready();
      running.push(pool.run('fsck-objects', batch).then(() => done++));
    }
    assert.equal(done, 0);
    await pool.ready();
    assert.ok(done >= 1, 'ready came before a batch was done');
    await Promise.all(running);
  });

  it('rejects what waits, and what comes, when it is closed or a thread dies', async (t) => {
    const repository = newRepository(t);
    const pool = reading(t, repository, 2);
    const batch = await large(repository);
    const running = Array.from({ length: 6 }, () => pool.run('fsck-objects', batch));
    const ends = running.map((each) => assert.rejects(each, /threads were ended/));
    const ready = pool.ready();
    await pool.close();
    await Promise.all(ends);
    await ready;
    await pool.ready();
    await assert.rejects(pool.run('fsck-objects', batch), /threads were ended/);
  });

  it('goes on after a batch that cannot be copied', async (t) => {
    const repository = newRepository(t);
    const pool = reading(t, repository, 1);
    const objects = [{ checksum: MISSING, type: 'commit', extra: () => undefined }] as const;
    for (let i = 0; i < 5; i++) await assert.rejects(pool.run('fsck-objects', { objects }), { name: 'DataCloneError' });
    await pool.ready();
    assert.equal((await pool.run('fsck-objects', { objects: [] })).bytes, 0);
  });
});

describe('a program with a pool', () => {
  it('ends when the pool is closed, and needs little memory for 300 MB', async (t) => {
    const repository = newRepository(t);
    const { checksum } = await inTransaction(repository, ({ writer }) => writer.putFile(file(), content(10 ** 6)));
    const script = join(scratch(t), 'verify.mjs');
    const url = (name: string): string => JSON.stringify(import.meta.resolve(name));
    fs.writeFileSync(
      script,
      `import { openPool } from ${url('./pool.js')};
       import { openRepository } from ${url('../repository/repository.js')};
       import { objectsOf } from ${url('../storage/object-reader.js')};
       const repository = openRepository(${JSON.stringify(repository.path)});
       const pool = openPool({ read: objectsOf(repository).places }, 2);
       const objects = Array.from({ length: 10 }, () => ({ checksum: '${checksum}', type: 'file' }));
       let bytes = 0, rss = 0;
       const running = [];
       for (let i = 0; i < 30; i++) {
         await pool.ready();
         rss = Math.max(rss, process.memoryUsage.rss());
         running.push(pool.run('fsck-objects', { objects }).then((result) => { bytes += result.bytes; }));
       }
       await Promise.all(running);
       rss = Math.max(rss, process.memoryUsage.rss());
       await pool.close();
       repository.close();
       console.log(JSON.stringify({ bytes, rss }));`,
    );
    const { status, stdout, stderr } = await runNode(script, [], { cwd: CHECKOUT, timeoutMs: 30_000 });
    assert.equal(status, 0, stderr);
    const { bytes, rss } = JSON.parse(stdout) as { bytes: number; rss: number };
    assert.equal(bytes, 300 * 10 ** 6);
    assert.ok(rss < 200 * 2 ** 20, `${Math.round(rss / 2 ** 20)} MiB`);
  });
});
