import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from './needs.ts';
import { CUTS, withDisk, withoutSync } from './power-cut.ts';
import { runNode, startNode } from './program.ts';
import { scratch } from './scratch.ts';

const DATA = 'x'.repeat(100_000);

/** Puts a file under a new name: synced, renamed, and its directory synced. */
const WRITER = `
import * as fs from 'node:fs';
process.chdir(process.argv[2]);
const fd = fs.openSync('part', 'w');
fs.writeSync(fd, 'x'.repeat(100_000));
fs.fsyncSync(fd);
fs.renameSync('part', 'file');
fs.fsyncSync(fs.openSync('.', 'r'));
console.log('done');`;

function writer(t: TestContext, text = WRITER): string {
  const script = join(scratch(t), 'writer.mjs');
  writeFileSync(script, text);
  return script;
}

describe('a power cut', { skip: needs('loop-mount', 'strace'), concurrency: true }, () => {
  for (const cut of CUTS) {
    it(`${cut.name} keeps what was synced`, async (t) => {
      await withDisk({ sizeMiB: 16, ...cut }, async (disk) => {
        assert.equal((await runNode(writer(t), [disk.path])).status, 0);
        const after = await disk.cut();
        assert.equal(readFileSync(join(after.path, 'file'), 'utf8'), DATA);
      });
    });
  }

  it('at once loses what was not', async (t) => {
    await withDisk({ sizeMiB: 16, ...CUTS[0] }, async (disk) => {
      assert.equal((await runNode(writer(t), [disk.path], { prefix: withoutSync() })).status, 0);
      const after = await disk.cut();
      assert.equal(existsSync(join(after.path, 'file')), false);
    });
  });

  it("after the journal's commit leaves an empty file of what was not", async (t) => {
    await withDisk({ sizeMiB: 16, ...CUTS[1] }, async (disk) => {
      assert.equal((await runNode(writer(t), [disk.path], { prefix: withoutSync() })).status, 0);
      const after = await disk.cut();
      assert.equal(statSync(join(after.path, 'file')).size, 0);
    });
  });

  it('leaves what was settled before, and the running disk as it is', async () => {
    await withDisk({ sizeMiB: 16 }, async (disk) => {
      writeFileSync(join(disk.path, 'before'), DATA);
      await disk.settle();
      writeFileSync(join(disk.path, 'later'), DATA);
      const after = await disk.cut();
      assert.equal(readFileSync(join(after.path, 'before'), 'utf8'), DATA);
      assert.equal(existsSync(join(after.path, 'later')), false);
      assert.equal(readFileSync(join(disk.path, 'later'), 'utf8'), DATA);
      await after.close();
      assert.equal(existsSync(after.path), false);
    });
  });

  it('can come in the middle, and ends the program', async (t) => {
    const busy = `${WRITER}
      for (let i = 0; ; i++) { const f = fs.openSync('n' + i % 50, 'w'); fs.writeSync(f, 'y'.repeat(9000)); fs.fsyncSync(f); fs.closeSync(f); }`;
    await withDisk({ sizeMiB: 16 }, async (disk) => {
      const running = startNode(writer(t, busy), [disk.path]);
      await running.says('done');
      const after = await disk.cut({ running, afterMs: 100 });
      assert.equal((await running.done).signal, 'SIGKILL');
      assert.equal(readFileSync(join(after.path, 'file'), 'utf8'), DATA);
      assert.ok(existsSync(join(after.path, 'n0')));
    });
  });
});
