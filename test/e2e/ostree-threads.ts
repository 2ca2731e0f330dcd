/** Kills at calls spread over a commit and a pull that are large enough for threads. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { killCounter } from '../support/kill-at.ts';
import { startNginx } from '../support/nginx.ts';
import { OSTREE_CONTAINER, runNode } from '../support/program.ts';
import { removeTree, scratch } from '../support/scratch.ts';
import { lastingContents } from './ostree-matrix.ts';
import {
  assertNoLitter,
  assertSound,
  assertTmpEmpty,
  makeRepository,
  model,
  ostree,
  type Place,
} from './ostree-place.ts';
import { wordsFor } from './ostree-program.ts';
import { COMMITS, type Subject } from './ostree-subjects.ts';

/** Threads are used from 2000 entries on. */
const FILES = 2200;

function makeLargeTree(tree: string): void {
  for (let i = 0; i < FILES; i++) {
    const directory = join(tree, `directory-${i % 16}`);
    if (i < 16) fs.mkdirSync(directory, { recursive: true });
    fs.writeFileSync(join(directory, `file-${i}`), `content of file ${i}\n`);
  }
}

export async function killCommit(t: TestContext, points: number): Promise<void> {
  const { 'a first commit of a directory': small } = COMMITS;
  if (small === undefined) throw new Error('unreachable: the subject has another name');
  const large: Subject = {
    ...small,
    async make({ tree, repo }) {
      makeLargeTree(tree);
      await makeRepository(repo, 'bare');
    },
  };
  await killAtPoints(t, large, points);
}

export async function killPull(t: TestContext, points: number): Promise<void> {
  const server = scratch(t);
  makeLargeTree(join(server, 'tree'));
  await makeRepository(join(server, 'repo'), 'archive');
  await ostree(join(server, 'repo'), 'commit', '-b', 'main', join(server, 'tree'));
  const nginx = await startNginx({ root: join(server, 'repo') });
  t.after(() => nginx.stop());
  const subject: Subject = {
    async make({ repo }) {
      await makeRepository(repo, 'bare');
      await ostree(repo, 'remote', 'add', '--no-gpg-verify', 'origin', nginx.url);
    },
    command: () => ['pull', 'origin', 'main'],
  };
  await killAtPoints(t, subject, points);
}

/** The order between threads differs from run to run: not the position counts, but the state. */
async function killAtPoints(t: TestContext, subject: Subject, points: number): Promise<void> {
  const counter = await killCounter(scratch(t));
  const states = model((place) => subject.make(place));
  t.after(() => states.remove());
  const run = (place: Place, env: Readonly<Record<string, string>>) =>
    runNode(OSTREE_CONTAINER, wordsFor(subject, place), { env, timeoutMs: 180_000 });
  const undisturbed = await states.copy();
  assert.equal((await run(undisturbed, counter.counting)).status, 0);
  const expected = lastingContents(undisturbed, () => true);
  removeTree(undisturbed.root);
  const total = counter.count();
  assert.ok(total > FILES, `${total} calls were counted: some for every file`);
  for (let point = 1; point <= points; point++) {
    // Less than all: a run may need a few calls less than the one that was counted.
    const n = Math.round((total * 0.98 * point) / points);
    const place = await states.copy();
    const { signal, stderr } = await run(place, counter.killAt(n));
    assert.equal(signal, 'SIGKILL', `call ${n} of ${total}: ${stderr}`);
    await assertSound(place.repo);
    assertNoLitter(place.repo);
    const again = await run(place, {});
    assert.equal(again.status, 0, `after call ${n} of ${total}: ${again.stderr}`);
    await assertSound(place.repo);
    assertTmpEmpty(place.repo);
    assert.deepEqual(
      lastingContents(place, () => true),
      expected,
      `after call ${n} of ${total}`,
    );
    removeTree(place.root);
  }
  t.diagnostic(`${points} kills, spread over ${total} calls`);
}
