/** koffi is an optional dependency: what the package promises without it must hold. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CHECKOUT, run } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';

const BLOCK = join(CHECKOUT, 'dist/test/support/block-koffi.cjs');

describe('without koffi', () => {
  it('the tests of the linux domain pass with the declared fallbacks', async () => {
    const directory = join(CHECKOUT, 'dist/src/linux');
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.js'))
      .map((name) => join(directory, name));
    const args = ['--test', '--test-reporter=tap', ...files];
    const { status, stdout } = await run(process.execPath, args, {
      env: { NODE_OPTIONS: `--require ${BLOCK}` },
      timeoutMs: 300_000,
    });
    assert.equal(status, 0, stdout);
    const count = (name: string): number => Number(new RegExp(`^# ${name} ([0-9]+)$`, 'm').exec(stdout)?.[1]);
    assert.ok(count('pass') > 50, `only ${count('pass')} tests ran`);
    assert.equal(count('skipped'), 0);
  });

  it('the demonstration of tako runs to its end', async (t) => {
    const demo = join(CHECKOUT, 'dist/test/demo/demo.js');
    const env = { NODE_OPTIONS: `--require ${BLOCK}`, TMPDIR: scratch(t) };
    const { status, stdout, stderr } = await run(process.execPath, [demo], { env, timeoutMs: 120_000 });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /Where to go next/);
  });
});
