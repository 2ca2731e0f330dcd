/** A change of host files that is broken off anywhere, and then undone or done again. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { needs } from '../../../test/support/needs.ts';
import { makeScratch, removeTree } from '../../../test/support/scratch.ts';
import { change, type HostFiles, imageOf, placesAt, plan, recorder, snapshot, write } from './host-files.fixture.ts';
import { copyStep, type HostPlan, removalStep } from './index.ts';

/** Paths that meet each other: files where directories are, and the other way about. */
const PATHS = ['etc/a', 'etc/a/x', 'etc/d/f', 'etc/d/g', 'etc/d/e/h', 'opt/l', 'opt/l/m', 'etc/a.new', 'usr/k'];

const file = fc.oneof(
  fc.constantFrom('1', '2', '3').map((content) => ({ content })),
  fc.constantFrom('1', '2').map((content) => ({ content, mode: 0o600, uid: 7, gid: 8 })),
  fc.constantFrom('/etc', 'd', 'nowhere', '../etc/d').map((target) => ({ target })),
);
const image: fc.Arbitrary<HostFiles> = fc
  .dictionary(fc.constantFrom(...PATHS), file)
  .map((files) => Object.fromEntries(Object.entries(files).filter(([path]) => !isBelowAny(path, Object.keys(files)))));

/** What an administrator does in between: to write, to remove. */
/** Hundreds of runs with an fsync for each file are nothing for a disk. */
const MEMORY = fs.existsSync('/dev/shm') ? '/dev/shm' : undefined;

interface Edit {
  readonly path: string;
  /** A number is a mode to be set; undefined: it is removed. */
  readonly content: string | number | undefined;
}
const edit: fc.Arbitrary<Edit> = fc.record({
  path: fc.constantFrom(...PATHS, 'etc/d/f.new', 'etc/d/other', 'usr/k.new'),
  content: fc.constantFrom('1', '2', 'mine', undefined, 0o640),
});
const edits = fc.array(edit, { maxLength: 3 });

function isBelowAny(path: string, others: readonly string[]): boolean {
  return others.some((other) => path.startsWith(`${other}/`));
}

function doEdits(root: string, list: readonly Edit[]): void {
  for (const { path, content } of list) {
    const at = join(root, path);
    if (!isFileOrFree(root, path)) continue;
    if (typeof content === 'number') {
      if (fs.lstatSync(at, { throwIfNoEntry: false })?.isFile() === true) fs.chmodSync(at, content);
      continue;
    }
    fs.rmSync(at, { force: true });
    if (content !== undefined) write(root, { [path]: content });
  }
}

/** An administrator writes to a file, or where nothing is; never through a link of the image's. */
function isFileOrFree(root: string, path: string): boolean {
  const parts = path.split('/');
  for (let i = 1; i <= parts.length; i++) {
    const stats = fs.lstatSync(join(root, ...parts.slice(0, i)), { throwIfNoEntry: false });
    if (stats === undefined) return true;
    if (stats.isDirectory() === (i === parts.length)) return false;
  }
  return true;
}

/** The first steps of a plan. */
async function begin(made: HostPlan, tree: ReturnType<typeof imageOf> | undefined, count: number): Promise<void> {
  const part = { ...made, steps: made.steps.slice(0, count) };
  const { log } = recorder();
  await removalStep(part, log);
  await copyStep(part, tree, log);
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  foreign: edits,
  first: image,
  between: edits,
  second: image,
  after: edits,
  third: fc.option(image, { nil: undefined }),
  steps: fc.nat({ max: 20 }),
  again: fc.nat({ max: 20 }),
});

interface Scenario {
  readonly foreign: readonly Edit[];
  readonly first: HostFiles;
  readonly between: readonly Edit[];
  readonly second: HostFiles;
  readonly after: readonly Edit[];
  /** Undefined: it is uninstalled. */
  readonly third: HostFiles | undefined;
  /** Of the change, until it is broken off. */
  readonly steps: number;
  /** Of what follows, until it is broken off as well. */
  readonly again: number;
}

/**
 * One thing has no way back: a changed file that was kept through an update, and was then brought by hand to the content
 * that it had before it was changed. It counts as unchanged again, and the version one returns to never had it.
 */
function canBeUndone(made: HostPlan, second: HostPlan): boolean {
  const { modifiedFiles } = second.installed;
  return made.steps.every(
    ({ action, path }) => !['delete', 'replace'].includes(action) || !modifiedFiles.includes(path),
  );
}

describe('a change of host files that is broken off after any step', { skip: needs('root') }, () => {
  /** A host with two versions behind it and a third one begun; `use` gets what is needed to go on. */
  async function interrupted(given: Scenario, use: (root: string, at: Middle) => Promise<void>) {
    const root = makeScratch(MEMORY);
    try {
      fs.chmodSync(root, 0o755);
      write(root, { 'etc/passwd': 'root' });
      doEdits(root, given.foreign);
      const places = placesAt(root);
      const first = await change({ places, tree: imageOf(given.first), previous: undefined });
      doEdits(root, given.between);
      const tree = imageOf(given.second);
      const second = await change({ places, tree, previous: first.plan.installed });
      doEdits(root, given.after);
      const before = snapshot(root);
      const next = given.third && imageOf(given.third);
      const made = await plan({ places, tree: next, previous: second.plan.installed });
      fc.pre(canBeUndone(made, second.plan));
      await begin(made, next, given.steps);
      await use(root, { places, tree, next, before, second: second.plan, made });
    } finally {
      removeTree(root);
    }
  }

  it('is undone to exactly what was there before, whatever was edited, also when the undo is broken off itself', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, (given) =>
        interrupted(given, async (root, { places, tree, before, second, made }) => {
          const wish = {
            places,
            tree,
            previous: made.installed,
            begun: second.installed,
            gone: made.gone,
            before: made.before,
          };
          await begin(await plan(wish), tree, given.again);
          const { plan: undo } = await change(wish);
          assert.deepEqual(snapshot(root), before);
          assert.deepEqual(undo.installed.installedFiles, second.installed.installedFiles);
        }),
      ),
      { numRuns: 100, includeErrorInReport: true },
    );
  });

  it('is done again to exactly what it would have come to', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        let whole: unknown;
        await interrupted({ ...given, steps: 99 }, async (root, { made }) => {
          whole = [snapshot(root), made.installed];
        });
        await interrupted(given, async (root, { places, next, second, made }) => {
          const wish = { places, tree: next, previous: second.installed, begun: made.installed };
          await begin(await plan(wish), next, given.again);
          const { plan: redo } = await change(wish);
          assert.deepEqual([snapshot(root), redo.installed], whole);
        });
      }),
      { numRuns: 100, includeErrorInReport: true },
    );
  });
});

interface Middle {
  readonly places: ReturnType<typeof placesAt>;
  readonly tree: ReturnType<typeof imageOf>;
  readonly next: ReturnType<typeof imageOf> | undefined;
  readonly before: Readonly<Record<string, string>>;
  readonly second: HostPlan;
  readonly made: HostPlan;
}
