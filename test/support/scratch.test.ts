import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from './needs.ts';
import { must, runNode } from './program.ts';
import { makeScratch, mountsBelow, removeTree, scratch } from './scratch.ts';

describe('a scratch folder', () => {
  it('is gone after its test, with what was in it', async (t) => {
    let path = '';
    await t.test('inner', (inner) => {
      path = scratch(inner);
      mkdirSync(join(path, 'locked'));
      writeFileSync(join(path, 'locked', 'file'), 'x', { mode: 0o400 });
    });
    assert.notEqual(path, '');
    assert.equal(existsSync(path), false);
  });

  it('takes nested mounts with it, and names with blanks', { skip: needs('mount') }, async () => {
    const path = makeScratch();
    const outer = join(path, 'a mount');
    mkdirSync(outer);
    await must('mount', ['-t', 'tmpfs', 'tmpfs', outer]);
    mkdirSync(join(outer, 'inner'));
    await must('mount', ['-t', 'tmpfs', 'tmpfs', join(outer, 'inner')]);
    assert.deepEqual(mountsBelow(path), [join(outer, 'inner'), outer]);
    removeTree(path);
    assert.deepEqual(mountsBelow(path), []);
    assert.equal(existsSync(path), false);
  });

  for (const [how, code] of [
    ['ends early', 'process.exit(3)'],
    ['is terminated', "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)"],
  ] as const) {
    it(`is removed when the process that made it ${how}`, async (t) => {
      const script = join(scratch(t), 'early.mjs');
      const module = JSON.stringify(join(import.meta.dirname, 'scratch.js'));
      writeFileSync(script, `import { makeScratch } from ${module}; process.stdout.write(makeScratch()); ${code};`);
      const { status, stdout } = await runNode(script, []);
      assert.equal(status, how === 'ends early' ? 3 : 143);
      assert.match(stdout, /tako-test-/);
      assert.equal(existsSync(stdout), false);
    });
  }
});
