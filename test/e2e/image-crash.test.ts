/**
 * A copy that is killed at any durable call, or whose disk is full: the place holds the image of before or the new one,
 * whole, and the same command once more makes the same as without a fault.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { crashMatrix, DURABLE_CALLS, type Fault } from '../support/crash-matrix.ts';
import { withSmallDisk } from '../support/full-disk.ts';
import { needs } from '../support/needs.ts';
import { runNode } from '../support/program.ts';
import { removeTree } from '../support/scratch.ts';
import {
  copyModel,
  copyWords,
  KINDS,
  type Kind,
  type Models,
  makeModels,
  namesIn,
  removeModels,
  wholeImageAt,
} from './image-place.ts';
import { bundled } from './ostree-program.ts';

describe('a copy', { skip: needs('strace') }, () => {
  let models: Models;
  before(async () => {
    models = await makeModels();
  });
  after(() => removeModels(models));

  /** Blobs are flushed in a thread, of which there is one then; strace counts for each thread alone. */
  async function matrix(kind: Kind, fault: Fault): Promise<string> {
    const others = DURABLE_CALLS.filter((name) => name !== 'fdatasync');
    return `${await part(kind, fault, others)}; ${await part(kind, fault, ['fdatasync'])}`;
  }

  async function part(kind: Kind, fault: Fault, only: readonly string[]): Promise<string> {
    const script = await bundled();
    const env = { UV_THREADPOOL_SIZE: '1' };
    let done: readonly string[] | undefined;
    const { kills, calls } = await crashMatrix<string>({
      fault,
      only,
      prepare: async () => copyModel(models, kind),
      command: (place) => ({ file: process.execPath, args: [script, ...copyWords(models, place, kind)], env }),
      dispose: (place) => removeTree(place),
      async check(place, at) {
        const found = await wholeImageAt(place, kind);
        if (at.stage === 'hit') {
          assert.ok(found === models.before.raw.digest || found === models.after.raw.digest, found);
          if (fault !== 'KILL') assert.doesNotMatch(at.run.stderr, /unreachable|\n +at /);
          return;
        }
        assert.equal(found, models.after.raw.digest);
        done ??= namesIn(place);
        assert.deepEqual(namesIn(place), done, 'nothing is left over');
      },
    });
    return `${kills} runs were hit: ${Object.entries(calls)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}`;
  }

  for (const kind of KINDS) {
    it(`into ${kind}: that is killed at any durable call is done or not begun, and succeeds when it is run again`, async (t) => {
      t.diagnostic(await matrix(kind, 'KILL'));
    });
    it(`into ${kind}: whose disk fails at any durable call is done or not begun`, async (t) => {
      t.diagnostic(await matrix(kind, 'EIO'));
    });
  }
});

describe('a full disk', { skip: needs('loop-mount', 'root') }, () => {
  for (const kind of KINDS) {
    it(`ends a copy into ${kind}: with DISK_FULL, the old image is there, and with room it goes on`, async (t) => {
      const large = await makeModels(Buffer.alloc(400_000, 'large '));
      t.after(() => removeModels(large));
      const script = await bundled();
      await withSmallDisk({ sizeKiB: 4096 }, async (disk) => {
        const place = copyModel(large, kind, disk.path);
        for (const leave of [4096, 65_536, 200_000]) {
          await disk.fill(leave);
          const ended = await runNode(script, [...copyWords(large, place, kind), '--json']);
          assert.equal(ended.status, 1, ended.stderr);
          assert.equal(JSON.parse(ended.stdout).code, 'DISK_FULL');
          assert.equal(await wholeImageAt(place, kind), large.before.raw.digest);
          await disk.release();
        }
        const ended = await runNode(script, copyWords(large, place, kind));
        assert.equal(ended.status, 0, ended.stderr);
        assert.equal(await wholeImageAt(place, kind), large.after.raw.digest);
      });
    });
  }
});
