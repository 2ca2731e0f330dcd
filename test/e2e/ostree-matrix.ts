/** A crash matrix over one command of `ostree-container repo`, and what holds after every fault. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type CrashPoint, crashMatrix, DURABLE_CALLS, type Fault } from '../support/crash-matrix.ts';
import { type Finished, must, runNode } from '../support/program.ts';
import { removeTree } from '../support/scratch.ts';
import { assertNoLitter, assertSound, assertTmpEmpty, contentsOf, model, type Place, refsOf } from './ostree-place.ts';
import { bundled, runSubject, wordsFor } from './ostree-program.ts';
import type { Subject } from './ostree-subjects.ts';

interface Matrix {
  readonly subject: Subject;
  readonly fault: Fault;
  /** The script: a bundle, for it runs hundreds of times. */
  readonly program: string;
  readonly before: Readonly<Record<string, string>>;
  /** What the undisturbed run has made, which comes first. */
  after: Outcome | undefined;
}

interface Outcome {
  readonly refs: Readonly<Record<string, string>>;
  readonly contents: ReadonlyMap<string, string>;
}

export async function matrix(
  t: TestContext,
  subject: Subject,
  fault: Fault = 'KILL',
  { only = DURABLE_CALLS, every = 1 }: { readonly only?: readonly string[]; readonly every?: number } = {},
): Promise<void> {
  const states = model((place) => subject.make(place));
  t.after(() => states.remove());
  const program = await bundled();
  const first = await states.copy();
  const the: Matrix = { subject, fault, program, before: refsOf(first.repo), after: undefined };
  removeTree(first.root);
  const { kills, calls } = await crashMatrix<Place>({
    fault,
    only,
    every,
    prepare: () => states.copy(),
    command: (place) => ({ file: process.execPath, args: [program, ...wordsFor(subject, place)] }),
    rerun: (place) => runAgain(the, place),
    check: (place, at) => check(the, place, at),
    dispose: ({ root }) => removeTree(root),
  });
  const parts = Object.entries(calls).map(([name, count]) => `${count} ${name}`);
  t.diagnostic(`${kills} runs were hit: ${parts.join(', ')}`);
}

function runAgain(the: Matrix, place: Place): Promise<Finished> {
  if (the.subject.isDone?.(place) === true) return runNode(the.program, tidyingWords(place));
  return runSubject(the.subject, place);
}

async function check(the: Matrix, place: Place, at: CrashPoint): Promise<void> {
  const { subject, fault } = the;
  await assertSound(place.repo);
  assertNoLitter(place.repo);
  if (at.stage === 'hit') {
    assertBeforeOrAfter(the, place);
    subject.whenHit?.(place);
    if (fault !== 'KILL') assertClearFailure(fault, at);
    return;
  }
  await assertTidied(the, place, at);
  subject.whenDone?.(place);
  const found = { refs: refsOf(place.repo), contents: lastingContents(place, (name) => !subject.varies?.test(name)) };
  the.after ??= found;
  assert.deepEqual(found.refs, the.after.refs);
  assert.deepEqual(found.contents, the.after.contents, 'equal to what the undisturbed run has made');
}

/** A run that found everything done has had no reason to clean up: the next one that changes something does. */
async function assertTidied(the: Matrix, place: Place, { stage }: CrashPoint): Promise<void> {
  const tmp = join(place.repo, 'tmp');
  const isLeft = fs.readdirSync(tmp).some((name) => name.startsWith('staging-'));
  if (isLeft && stage === 'again') await must(process.execPath, [the.program, ...tidyingWords(place)]);
  assertTmpEmpty(place.repo);
}

function tidyingWords({ repo }: Place): readonly string[] {
  return ['repo', 'config', '--repo', repo, 'set', 'core.lock-timeout-secs', '30'];
}

/** Each ref by itself: several are not written in one step. */
function assertBeforeOrAfter({ before, after: done }: Matrix, { repo }: Place): void {
  const found = refsOf(repo);
  for (const ref of new Set([...Object.keys(found), ...Object.keys(before)])) {
    const known = [before[ref], done?.refs[ref]];
    assert.ok(known.includes(found[ref]), `${ref}: found ${found[ref]}, expected one of ${known.join(', ')}`);
  }
}

function assertClearFailure(fault: Fault, { run: { status, stderr } }: CrashPoint): void {
  assert.equal(status, 1, 'a failed call is a failed run');
  assert.doesNotMatch(stderr, /unreachable|\n +at /);
  if (fault === 'ENOSPC') assert.match(stderr, /no space left/);
  if (fault === 'EIO') assert.match(stderr, /i\/o error/);
}

/** What is meant to stay, of the repository and of the target. */
export function lastingContents(
  { repo, target }: Place,
  isMeant: (name: string) => boolean,
): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  for (const [name, text] of contentsOf(repo)) if (!name.startsWith('tmp/') && isMeant(name)) contents.set(name, text);
  if (fs.existsSync(target)) for (const [name, text] of contentsOf(target)) contents.set(join('target', name), text);
  return contents;
}
