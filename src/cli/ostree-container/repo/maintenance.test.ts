import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { unpackVector } from '../../../../test/support/ostree-vectors.ts';
import { runNode } from '../../../../test/support/program.ts';

const MAIN = join(import.meta.dirname, '..', 'main.js');
const repo = (...words: readonly string[]) => runNode(MAIN, ['repo', ...words]);

function remove(path: string, extension: string): void {
  const objects = join(path, 'objects');
  for (const fanout of readdirSync(objects)) {
    const name = readdirSync(join(objects, fanout)).find((each) => each.endsWith(extension));
    if (name !== undefined) return rmSync(join(objects, fanout, name));
  }
}

describe('repo fsck', () => {
  it('ends with the line of the program ostree, and has a document', async (t) => {
    const path = unpackVector(t, 'delta');
    const { status, stdout } = await repo('fsck', '--repo', path);
    assert.deepEqual(
      [status, stdout.trim().split('\n').at(-1)],
      [0, 'object fsck of 2 commits completed successfully - no errors found.'],
    );
    const { schema, sound, findings } = JSON.parse((await repo('fsck', '--repo', path, '--json')).stdout);
    assert.deepEqual([schema, sound, findings], ['ostree-container.repo-fsck/1', true, []]);
  });
  it('has status 1 for a missing object, now and until it is pulled again', async (t) => {
    const path = unpackVector(t, 'delta');
    remove(path, '.filez');
    for (const kind of ['missing', 'lost']) {
      const { status, stdout } = await repo('fsck', '--repo', path, '--json');
      const { findings } = JSON.parse(stdout);
      assert.ok(status === 1 && findings.length > 0 && findings.every((each: { kind: string }) => each.kind === kind));
    }
  });
});

describe('repo prune', () => {
  const prune = async (t: TestContext, ...words: readonly string[]) =>
    repo('prune', '--repo', unpackVector(t, 'delta'), ...words);
  it('says what it did, and with --no-prune and --dry-run what it would do', async (t) => {
    assert.match((await prune(t)).stdout, /^Total objects: [0-9]+\nNo unreachable objects\n$/);
    const words = ['--refs-only', '--depth=0'];
    assert.match((await prune(t, ...words)).stdout, /\nDeleted [0-9]+ objects, .* freed\n$/);
    for (const dry of ['--no-prune', '--dry-run'])
      assert.match((await prune(t, ...words, dry)).stdout, /\nWould delete: [0-9]+ objects, freeing .*\n$/);
  });
  it('refuses words that make no sense', async (t) => {
    const wrong = [
      '--depth=-2',
      '--depth=x',
      '--keep-younger-than=soon',
      '--retain-branch-depth=a',
      '--static-deltas-only',
    ];
    for (const word of wrong) assert.equal((await prune(t, word)).status, 2, word);
  });
});

describe('repo summary', () => {
  const summary = async (t: TestContext, ...words: readonly string[]) =>
    repo('summary', '--repo', unpackVector(t, 'delta'), ...words);
  it('is shown with --view, and with -v alone', async (t) => {
    const { stdout } = await summary(t, '--view');
    assert.match(stdout, /^\* test\/main\n {4}Latest Commit/);
    assert.equal((await summary(t, '-v')).stdout, stdout);
  });
  it('names its keys, and shows one of them', async (t) => {
    assert.match((await summary(t, '--list-metadata-keys')).stdout, /^ostree\.summary\.mode$/m);
    assert.equal((await summary(t, '--print-metadata-key', 'ostree.summary.mode')).stdout, "'archive-z2'\n");
    assert.equal((await summary(t, '--print-metadata-key', 'nope')).status, 1);
  });
  it('wants one thing at a time, and what belongs to writing only with --update', async (t) => {
    for (const words of [
      [],
      ['-u', '--view'],
      ['--view', '-m', 'a=1'],
      ['--view', '--dry-run'],
      ['-u', '-m', 'a'],
      ['-u', '-m', 'a=b c'],
    ])
      assert.equal((await summary(t, ...words)).status, 2, words.join(' '));
  });
});
