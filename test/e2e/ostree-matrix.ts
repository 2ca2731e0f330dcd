/** A crash matrix over one command of `ostree-container repo`, and what holds after every fault. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type CrashPoint, crashMatrix, DURABLE_CALLS, type Fault } from '../support/crash-matrix.ts';
import { type Finished, OSTREE_CONTAINER, run } from '../support/program.ts';
import { removeTree } from '../support/scratch.ts';
import {
  assertNoLitter,
  assertSound,
  assertTmpEmpty,
  contentsOf,
  model,
  ours,
  type Place,
  refsOf,
} from './ostree-place.ts';
import type { Subject } from './ostree-subjects.ts';

/** Before and after: the model, and what the undisturbed run has made of it. */
interface States {
  readonly before: Readonly<Record<string, string>>;
  after:
    | { readonly refs: Readonly<Record<string, string>>; readonly contents: ReadonlyMap<string, string> }
    | undefined;
}

export async function matrix(
  t: TestContext,
  subject: Subject,
  fault: Fault = 'KILL',
  only: readonly string[] = DURABLE_CALLS,
): Promise<void> {
  const states = model((place) => subject.make(place));
  t.after(() => states.remove());
  const first = await states.copy();
  const seen: States = { before: refsOf(first.repo), after: undefined };
  removeTree(first.root);
  const { kills, calls } = await crashMatrix<Place>({
    fault,
    only,
    prepare: () => states.copy(),
    command: (place) => ({ file: process.execPath, args: wordsFor(subject, place) }),
    rerun: (place) => (subject.isDone?.(place) === true ? ours(place.repo, 'refs') : rerun(subject, place)),
    check: (place, at) => check(subject, seen, fault, place, at),
    dispose: ({ root }) => removeTree(root),
  });
  const parts = Object.entries(calls).map(([name, count]) => `${count} ${name}`);
  t.diagnostic(`${kills} runs were hit: ${parts.join(', ')}`);
}

function rerun(subject: Subject, place: Place): Promise<Finished> {
  return run(process.execPath, wordsFor(subject, place));
}

/** Arguments of node. */
export function wordsFor(subject: Subject, place: Place): readonly string[] {
  const [command = '', ...words] = subject.command(place);
  return [OSTREE_CONTAINER, 'repo', command, '--repo', place.repo, ...words];
}

async function check(subject: Subject, states: States, fault: Fault, place: Place, at: CrashPoint): Promise<void> {
  await assertSound(place.repo);
  if (at.stage === 'hit') {
    assertBeforeOrAfter(states, place);
    subject.whenHit?.(place);
    assertNoLitter(place.repo);
    if (fault !== 'KILL') assertClearFailure(fault, at);
    return;
  }
  assertNoLitter(place.repo);
  assertTmpEmpty(place.repo);
  subject.whenDone?.(place);
  const refs = refsOf(place.repo);
  const contents = lastingContents(subject, place);
  states.after ??= { refs, contents }; // the undisturbed run comes first
  assert.deepEqual(refs, states.after.refs);
  assert.deepEqual(contents, states.after.contents, 'equal to what the undisturbed run has made');
}

/** Each ref by itself: several are not written in one step. */
function assertBeforeOrAfter({ before, after }: States, { repo }: Place): void {
  const found = refsOf(repo);
  for (const ref of new Set([...Object.keys(found), ...Object.keys(before)])) {
    const known = [before[ref], after?.refs[ref]];
    assert.ok(known.includes(found[ref]), `${ref}: found ${found[ref]}, expected one of ${known.join(', ')}`);
  }
}

/** A run whose call failed says so, unless what failed was no more than tidying up. */
function assertClearFailure(fault: Fault, { run: { status, stderr } }: CrashPoint): void {
  assert.equal(status, 1, 'a failed call is a failed run');
  assert.doesNotMatch(stderr, /unreachable|\n +at /);
  if (fault === 'ENOSPC') assert.match(stderr, /no space left/);
  if (fault === 'EIO') assert.match(stderr, /i\/o error|EIO/i);
}

function lastingContents({ timed }: Subject, { repo, target }: Place): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  for (const [name, text] of contentsOf(repo)) {
    if (!name.startsWith('tmp/') && timed?.test(name) !== true) contents.set(name, text);
  }
  if (fs.existsSync(target)) for (const [name, text] of contentsOf(target)) contents.set(join('target', name), text);
  return contents;
}
