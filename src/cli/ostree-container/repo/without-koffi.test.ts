/** The optional package koffi is missing: repositories are looked at, and not changed. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../../test/support/needs.ts';
import { unpackVector } from '../../../../test/support/ostree-vectors.ts';
import { runNode } from '../../../../test/support/program.ts';

const MAIN = join(import.meta.dirname, '..', 'main.js');
const BLOCK = join(import.meta.dirname, '../../../../test/support/block-koffi.cjs');
const repo = (path: string, ...words: readonly string[]) =>
  runNode(MAIN, ['repo', ...words, '--repo', path], { env: { NODE_OPTIONS: `--require ${BLOCK}` } });

function removeOneFile(path: string): void {
  const objects = join(path, 'objects');
  const found = readdirSync(objects, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.filez'));
  rmSync(join(objects, found ?? ''));
}

describe('without koffi', () => {
  it('repo fsck checks a repository that this user may write', async (t) => {
    const { status, stdout, stderr } = await repo(unpackVector(t, 'delta'), 'fsck');
    assert.equal(status, 0, stderr);
    assert.match(stdout, /object fsck of 2 commits completed successfully/);
  });

  it('repo fsck marks no commit, and says so once', async (t) => {
    const path = unpackVector(t, 'delta');
    removeOneFile(path);
    const { status, stdout, stderr } = await repo(path, 'fsck');
    assert.equal(status, 1, stderr);
    assert.doesNotMatch(stdout, /Marking/);
    assert.equal(stderr.match(/not marked as partial/g)?.length, 1, stderr);
    const marks = join(path, 'state');
    assert.deepEqual(existsSync(marks) ? readdirSync(marks) : [], []);
    const { marked, unmarked } = JSON.parse((await repo(path, 'fsck', '--json')).stdout);
    assert.ok(marked.length === 0 && unmarked.length > 0);
  });

  it('repo prune says what it would delete, and deletes nothing', async (t) => {
    const path = unpackVector(t, 'delta');
    for (const dry of ['--dry-run', '--no-prune']) {
      const { status, stdout, stderr } = await repo(path, 'prune', '--refs-only', '--depth=0', dry);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /Would delete: [0-9]+ objects/);
    }
  });

  it('what changes a repository is refused', async (t) => {
    const path = unpackVector(t, 'delta');
    for (const words of [['fsck', '--delete'], ['fsck', '--add-tombstones'], ['prune']]) {
      const { status, stderr } = await repo(path, ...words);
      assert.equal(status, 1, words.join(' '));
      assert.match(stderr, /a repository can only be changed with the npm package koffi/);
    }
  });

  it('an object whose attributes cannot be read is named', { skip: needs('root') }, async (t) => {
    const { status, stderr } = await repo(unpackVector(t, 'bare-user'), 'fsck');
    assert.notEqual(status, 0);
    assert.match(stderr, /file [0-9a-f]{64}: extended attributes can only be read/);
  });
});
