import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../../test/support/scratch.ts';
import { withWorkFolder } from './work-folder.ts';

describe('the folder of a run', () => {
  it('is gone when the run is over, whatever came of it', async (t) => {
    const below = scratch(t);
    const failing = withWorkFolder(async (folder) => {
      fs.writeFileSync(join(folder, 'file'), 'x');
      assert.equal(fs.statSync(folder).mode & 0o777, 0o700);
      throw new Error('no');
    }, below);
    await assert.rejects(failing, { message: 'no' });
    assert.deepEqual(fs.readdirSync(below), []);
  });

  it('of a killed run goes with the next one, and one that is in use stays', async (t) => {
    const below = scratch(t);
    const left = join(below, 'ostree-container-build-killed');
    fs.mkdirSync(join(left, 'repo'), { recursive: true });
    fs.writeFileSync(join(left, '.lock'), '');
    fs.mkdirSync(join(below, 'ostree-container-build-begun')); // its run has not come to its lock yet
    fs.mkdirSync(join(below, 'of-another-program'));
    const seen = await withWorkFolder(
      (first) =>
        withWorkFolder(async (second) => [fs.existsSync(first), fs.existsSync(second), fs.existsSync(left)], below),
      below,
    );
    assert.deepEqual(seen, [true, true, false]);
    assert.deepEqual(fs.readdirSync(below).sort(), ['of-another-program', 'ostree-container-build-begun']);
  });

  it('is not looked for behind links', async (t) => {
    const [below, other] = [scratch(t), scratch(t)];
    fs.writeFileSync(join(other, '.lock'), '');
    fs.symlinkSync(other, join(below, 'ostree-container-build-link'));
    await withWorkFolder(async () => undefined, below);
    assert.deepEqual(fs.readdirSync(other), ['.lock']);
  });
});
