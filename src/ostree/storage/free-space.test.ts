import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { withSmallDisk } from '../../../test/support/full-disk.ts';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { emptyCommit, newRepository } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { type FreeSpace, measureFreeSpace, takeSpace } from './free-space.ts';
import { content, file, inTransaction, namesBelow } from './storage.fixture.ts';

function withBlocks(blocks: number): FreeSpace {
  const left = new BigInt64Array(new SharedArrayBuffer(8));
  left[0] = BigInt(blocks);
  return { blockSize: 4096, blocks: left, reserve: 'something' };
}

function setMinFree(repository: Repository, key: 'percent' | 'size', value: string): void {
  repository.updateConfig((keys) => keys.set('core', `min-free-space-${key}`, value));
}

describe('the space that must stay free', () => {
  it('is a share of the file system or a size; what is above it may be used', (t) => {
    const path = scratch(t);
    const { bsize, blocks, bfree, bavail } = fs.statfsSync(path);
    const free = process.getuid?.() === 0 ? bfree : bavail;
    const left = (percent: number): number => Number(measureFreeSpace(path, { kind: 'percent', percent })?.blocks[0]);
    assert.ok(Math.abs(left(1) - Math.max(0, free - blocks / 100)) < blocks / 1000);
    assert.equal(left(99), Math.max(0, free - Math.ceil((blocks / 100) * 99)));
    const size = measureFreeSpace(path, { kind: 'size', bytes: bsize * 10 });
    assert.ok(Math.abs(Number(size?.blocks[0]) - (free - 10)) < 5000);
    assert.equal(measureFreeSpace(path, { kind: 'percent', percent: 0 }), undefined);
    assert.equal(measureFreeSpace(path, { kind: 'size', bytes: 0 }), undefined);
    takeSpace(undefined, 2 ** 50);
  });

  it('is counted in blocks, one more than the content fills', () => {
    const space = withBlocks(4);
    takeSpace(space, 0);
    takeSpace(space, 4095);
    assert.throws(() => takeSpace(space, 8192), { code: 'MIN_FREE_SPACE' });
    takeSpace(space, 4096);
    assert.throws(() => takeSpace(space, 0), { code: 'MIN_FREE_SPACE' });
    assert.equal(space.blocks[0], 0n);
  });

  it('is counted by all threads together', async () => {
    const space = withBlocks(10_000);
    const count = `const { workerData: { url, space }, parentPort } = require('node:worker_threads');
      import(url).then(({ takeSpace }) => {
        let taken = 0;
        for (let i = 0; i < 6000; i++) try { takeSpace(space, 1); taken++; } catch {}
        parentPort.postMessage(taken);
      });`;
    const url = import.meta.resolve('./free-space.js');
    const workers = [0, 1].map(() => new Worker(count, { eval: true, workerData: { url, space } }));
    const taken = await Promise.all(workers.map(async (worker) => Number((await once(worker, 'message'))[0])));
    assert.equal((taken[0] ?? 0) + (taken[1] ?? 0), 10_000);
    assert.equal(space.blocks[0], 0n);
  });
});

describe('a disk with little space', { skip: needs('root', 'loop-mount') }, () => {
  it('takes metadata, but no content that would use up the rest; nothing is left of it', async (t) => {
    await withSmallDisk({ sizeKiB: 8192 }, async (disk) => {
      const repository = newRepository(t, 'bare', join(disk.path, 'repo'));
      setMinFree(repository, 'percent', '50');
      await assert.rejects(
        inTransaction(repository, ({ writer }) => {
          writer.putFile(file(), content(1000));
          writer.putFile(file(), content(6 * 2 ** 20));
        }),
        { code: 'MIN_FREE_SPACE' },
      );
      assert.deepEqual(namesBelow(join(repository.path, 'tmp')), []);
      setMinFree(repository, 'size', '100MB');
      await emptyCommit(repository, 'metadata are exempt');
      await assert.rejects(
        inTransaction(repository, ({ writer }) => writer.beginFile(file(), 1)),
        {
          code: 'MIN_FREE_SPACE',
        },
      );
      setMinFree(repository, 'size', '1MB');
      await inTransaction(repository, ({ writer }) => writer.putFile(file(), content(10)));
      repository.close();
    });
  });

  it('that is full refuses the content, and what was staged is removed', async (t) => {
    await withSmallDisk({ sizeKiB: 8192 }, async (disk) => {
      const repository = newRepository(t, 'archive', join(disk.path, 'repo'));
      setMinFree(repository, 'percent', '0');
      const noise = Buffer.concat(Array.from({ length: 250 }, (_, i) => content(40_000, i)));
      for (const put of ['putFile', 'beginFile'] as const) {
        await assert.rejects(
          inTransaction(repository, ({ writer }) => {
            writer.putFile(file(), content(1000));
            if (put === 'putFile') return void writer.putFile(file(), noise);
            const sink = writer.beginFile(file(), noise.length);
            try {
              sink.write(noise);
              return void sink.finish();
            } catch (error) {
              sink.abort();
              throw error;
            }
          }),
          { code: 'DISK_FULL' },
        );
        assert.deepEqual(namesBelow(join(repository.path, 'tmp')), []);
      }
      await inTransaction(repository, ({ writer }) => writer.putFile(file(), content(10)));
      repository.close();
    });
  });
});
