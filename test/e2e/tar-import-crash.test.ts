/**
 * An import that is killed at any durable call, or at calls spread over one that is large enough for threads: the
 * repository is sound, the ref is that of before or after, and the same import once more succeeds.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { crashMatrix } from '../support/crash-matrix.ts';
import { withSmallDisk } from '../support/full-disk.ts';
import { killCounter } from '../support/kill-at.ts';
import { needs } from '../support/needs.ts';
import { must, OSTREE_CONTAINER, runNode } from '../support/program.ts';
import { removeTree, scratch } from '../support/scratch.ts';
import {
  assertNoLitter,
  assertSound,
  assertTmpEmpty,
  changeTree,
  commitWords,
  contentsOf,
  FIRST_TIME,
  makeRepository,
  makeTree,
  model,
  ostree,
  type Place,
  refsOf,
  SECOND_TIME,
} from './ostree-place.ts';
import { bundled } from './ostree-program.ts';

const tarIn = ({ root }: Place): string => join(root, 'x.tar');
const importWords = (place: Place): readonly string[] => [
  ...['tar', 'import', '--repo', place.repo, '--write-ref', 'main', tarIn(place)],
];

async function exportFrom(place: Place): Promise<void> {
  await must(process.execPath, [OSTREE_CONTAINER, 'tar', 'export', '--repo', place.source, '-o', tarIn(place), 'main']);
}

/** The first commit is here, the second comes in a stream. */
async function makeUpdate(place: Place): Promise<void> {
  await makeTree(place.tree);
  await makeRepository(place.source, 'archive');
  await ostree(place.source, 'commit', ...commitWords(place.tree, FIRST_TIME));
  await makeRepository(place.repo, 'archive');
  await ostree(place.repo, 'pull-local', place.source, 'main');
  changeTree(place.tree);
  await ostree(place.source, 'commit', ...commitWords(place.tree, SECOND_TIME));
  await exportFrom(place);
}

/** Enough for threads, which start at 2000. */
async function makeMany(place: Place): Promise<void> {
  for (let i = 0; i < 2200; i++) {
    const directory = join(place.tree, `directory-${i % 16}`);
    if (i < 16) fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(join(directory, `file-${i}`), `content of file ${i}\n`);
  }
  await makeRepository(place.source, 'archive');
  await ostree(place.source, 'commit', ...commitWords(place.tree, FIRST_TIME));
  await makeRepository(place.repo, 'bare');
  await exportFrom(place);
}

const lasting = ({ repo }: Place) => new Map([...contentsOf(repo)].filter(([name]) => !name.startsWith('tmp/')));

describe('an import of a stream', () => {
  it('that is killed at any durable call is done or not begun, and succeeds when it is run again', {
    skip: needs('strace', 'ostree', 'python3', 'root'),
  }, async (t) => {
    const states = model(makeUpdate);
    t.after(() => states.remove());
    const script = await bundled();
    const first = await states.copy();
    const [before, after] = [refsOf(first.repo), refsOf(first.source)];
    removeTree(first.root);
    let done: ReadonlyMap<string, string> | undefined;
    const { kills, calls } = await crashMatrix<Place>({
      prepare: () => states.copy(),
      command: (place) => ({ file: process.execPath, args: [script, ...importWords(place)] }),
      dispose: ({ root }) => removeTree(root),
      async check(place, at) {
        await assertSound(place.repo);
        assertNoLitter(place.repo);
        const found = refsOf(place.repo)['heads/main'] ?? '';
        if (at.stage === 'hit') {
          assert.ok([before['heads/main'], after['heads/main']].includes(found), found);
          return;
        }
        assert.deepEqual(refsOf(place.repo), after);
        done ??= lasting(place);
        assert.deepEqual(lasting(place), done, 'equal to what the undisturbed run has made');
      },
    });
    t.diagnostic(`${kills} runs were hit: ${JSON.stringify(calls)}`);
  });

  it('that is killed while threads write succeeds when it is run again', {
    skip: needs('ostree', 'gcc', 'root'),
  }, async (t) => {
    const counter = await killCounter(scratch(t));
    const states = model(makeMany);
    t.after(() => states.remove());
    const go = (place: Place, env: Readonly<Record<string, string>>) =>
      runNode(OSTREE_CONTAINER, importWords(place), { env });
    const undisturbed = await states.copy();
    assert.equal((await go(undisturbed, counter.counting)).status, 0);
    const expected = lasting(undisturbed);
    removeTree(undisturbed.root);
    const total = counter.count();
    assert.ok(total > 2200, `${total} calls were counted: some for every file`);
    for (const share of [0.2, 0.6, 0.97]) {
      const place = await states.copy();
      const n = Math.round(total * share);
      const { signal, stderr } = await go(place, counter.killAt(n));
      assert.equal(signal, 'SIGKILL', `call ${n} of ${total}: ${stderr}`);
      await assertSound(place.repo);
      assertNoLitter(place.repo);
      const again = await go(place, {});
      assert.equal(again.status, 0, `after call ${n} of ${total}: ${again.stderr}`);
      await assertSound(place.repo);
      assertTmpEmpty(place.repo);
      assert.deepEqual(lasting(place), expected, `after call ${n} of ${total}`);
      removeTree(place.root);
    }
  });

  it('onto a full disk leaves the repository as it was, and succeeds when there is room', {
    skip: needs('loop-mount', 'ostree', 'root'),
  }, async (t) => {
    const folder = scratch(t);
    const source = join(folder, 'source');
    fs.mkdirSync(join(folder, 'tree'));
    fs.writeFileSync(join(folder, 'tree/large'), Buffer.alloc(2 ** 20, 'large'));
    await makeRepository(source, 'archive');
    await ostree(source, 'commit', ...commitWords(join(folder, 'tree'), FIRST_TIME));
    const tar = join(folder, 'x.tar');
    await must(process.execPath, [OSTREE_CONTAINER, 'tar', 'export', '--repo', source, '-o', tar, 'main']);
    await withSmallDisk({ sizeKiB: 8192 }, async (disk) => {
      const repo = join(disk.path, 'repo');
      await makeRepository(repo, 'bare-user');
      const words = ['tar', 'import', '--json', '--repo', repo, '--write-ref', 'main', tar];
      await disk.fill(300_000);
      const ended = await runNode(OSTREE_CONTAINER, words);
      assert.equal(ended.status, 1, ended.stderr);
      assert.match(JSON.parse(ended.stdout).code, /^(DISK_FULL|ENOSPC|MIN_FREE_SPACE)$/);
      await disk.release();
      await assertSound(repo);
      assert.deepEqual(refsOf(repo), {});
      assert.equal((await runNode(OSTREE_CONTAINER, words)).status, 0);
      assert.deepEqual(refsOf(repo), refsOf(source));
      await assertSound(repo);
    });
  });
});
