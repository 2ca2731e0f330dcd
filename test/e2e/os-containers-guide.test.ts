/**
 * docs/os-containers/authors.md does what it says: its blocks are run in their order, in one shell; what it shows as
 * output is compared with what was printed. So the example image is built, checked, installed, updated and removed.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { blockFaults, blocksOf, missingLines, printedBy, scriptOf } from '../support/guide.ts';
import { needs, searchPath } from '../support/needs.ts';
import { CHECKOUT, type Finished, OS_CONTAINERS, run } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';

const GUIDE = join(CHECKOUT, 'docs', 'os-containers', 'authors.md');

describe('the guide for authors of system containers', () => {
  const blocks = blocksOf(readFileSync(GUIDE, 'utf8'));

  it('has only blocks that a test knows what to do with', () => {
    assert.deepEqual(blockFaults(blocks), []);
    assert.ok(blocks.filter(({ language }) => language === 'sh').length >= 10);
  });

  describe('run from top to bottom', { skip: needs('root', 'busybox', 'umoci', 'tar', 'runc', 'systemctl') }, () => {
    const dir = makeScratch();
    after(() => removeTree(dir));
    let ended: Finished | undefined;
    before(async () => {
      const bin = join(dir, 'bin');
      mkdirSync(bin);
      const program = join(bin, 'os-containers');
      writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${OS_CONTAINERS}" "$@"\n`);
      chmodSync(program, 0o755);
      const script = `exec 2>&1\n${scriptOf(blocks)}`;
      const env = { HOME: dir, PATH: `${bin}:${searchPath()}` };
      ended = await run('sh', ['-e'], { input: script, cwd: dir, env, timeoutMs: 300_000 });
    });

    it('every command succeeds', () => {
      const log = ended?.stdout ?? '';
      assert.equal(ended?.status, 0, log.slice(log.lastIndexOf('@@ line')));
    });

    for (const [i, block] of blocks.entries()) {
      const command = blocks[i - 1];
      if (block.language !== 'text' || command === undefined) continue;
      it(`line ${block.line}: prints what is shown`, () => {
        const printed = printedBy(command, ended?.stdout ?? '');
        assert.deepEqual(missingLines(block.text, printed), [], printed);
      });
    }

    it('the linter finds in the example what the guide says, and nothing worse', () => {
      assert.match(ended?.stdout ?? '', /0 errors, 1 warning,/);
    });

    it('nothing of it is left on the host but the store and directories that were there', () => {
      const left = readdirSync(join(dir, 'host'), { recursive: true, encoding: 'utf8' });
      const storage = 'var/lib/containers/atomic/.st';
      assert.deepEqual(
        left.filter((path) => /greet/.test(path) && !path.startsWith(storage)),
        [],
      );
      assert.ok(existsSync(join(dir, 'host/usr/local/bin')));
    });
  });
});
