/** What is left of a repository when the power fails: everything that a command has reported as done. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { CUTS, withDisk, withoutSync } from '../support/power-cut.ts';
import { startNode } from '../support/program.ts';
import { lastingContents } from './ostree-matrix.ts';
import { assertSound, assertTmpEmpty, model, type Place, placeAt } from './ostree-place.ts';
import { bundled, runSubject, wordsFor } from './ostree-program.ts';
import { servedPulls } from './ostree-served.ts';
import { CHECKOUTS, COMMITS, LOCAL_PULLS, MAINTENANCE, type Subject } from './ostree-subjects.ts';

const skip = needs('loop-mount', 'strace', 'ostree', 'python3', 'root', 'nginx');
const { 'a first commit of a directory': COMMIT } = COMMITS;
const { 'a pull from nothing': PULL, 'a pull of a static delta': DELTA } = await servedPulls(skip);

/** Those that write contents lose them late as well; of the others the journal holds everything by then. */
const WITH_CONTENT: Readonly<Record<string, Subject | undefined>> = {
  'a first commit of a directory': COMMIT,
  'a pull from nothing': PULL,
  'a pull of a static delta': DELTA,
  'a local pull that converts': LOCAL_PULLS['a local pull that converts'],
  'a checkout that copies': CHECKOUTS['a checkout that copies'],
  'a ref that is made': MAINTENANCE['a ref that is made'],
};
/** Or replace a file, whose content ext4 flushes by itself. */
const NAMES_ONLY: Readonly<Record<string, Subject | undefined>> = {
  'a summary': MAINTENANCE['a summary'],
  prune: MAINTENANCE['prune'],
  'a ref that is deleted': MAINTENANCE['a ref that is deleted'],
};
const SUBJECTS = Object.entries({ ...WITH_CONTENT, ...NAMES_ONLY }).map(([name, subject]) => {
  if (subject === undefined) throw new Error(`unreachable: no subject ${name}`);
  return { name, subject, states: model((place) => subject.make(place)) };
});
after(() => {
  for (const { states } of SUBJECTS) states.remove();
});

type Contents = ReadonlyMap<string, string>;

async function succeed(subject: Subject, place: Place, prefix: readonly string[]): Promise<Contents> {
  const { status, stderr } = await runSubject(subject, place, { prefix });
  assert.equal(status, 0, stderr);
  return contentsAfter(subject, place);
}

function contentsAfter({ lasts }: Subject, place: Place): Contents {
  return lastingContents(place, (name) => lasts?.test(name) !== false);
}

async function assertLasted(subject: Subject, place: Place, done: Contents): Promise<void> {
  assert.deepEqual(contentsAfter(subject, place), done);
  await assertSound(place.repo);
}

describe('a power cut', { skip, concurrency: 2 }, () => {
  for (const cut of CUTS) {
    for (const { name, subject, states } of SUBJECTS) {
      it(`${cut.name} takes nothing of ${name} that has succeeded`, async () => {
        await withDisk({ sizeMiB: 16, ...cut }, async (disk) => {
          const place = await states.copy(disk.path);
          await disk.settle();
          const done = await succeed(subject, place, []);
          const left = await disk.cut();
          await assertLasted(subject, placeAt(left.path), done);
        });
      });
    }

    it(`${cut.name} takes something of each whose sync calls do nothing, or the tests above prove nothing`, async () => {
      await withDisk({ sizeMiB: 32, ...cut }, async (disk) => {
        const losing = SUBJECTS.filter(({ name }) => cut.afterMs === 0 || Object.hasOwn(WITH_CONTENT, name));
        const places = await Promise.all(losing.map(({ name, states }) => copyBelow(disk.path, name, states)));
        await disk.settle();
        const done: Contents[] = [];
        for (const [i, { subject }] of losing.entries()) {
          done.push(await succeed(subject, places[i] ?? placeAt(''), withoutSync()));
        }
        const left = await disk.cut();
        for (const [i, { name, subject }] of losing.entries()) {
          const lasted = assertLasted(subject, placeAt(join(left.path, name)), done[i] ?? new Map());
          await assert.rejects(lasted, `${name} lost nothing`);
        }
      });
    });
  }

  for (const [name, subject] of [
    ['a first commit of a directory', COMMIT],
    ['a pull from nothing', PULL],
  ] as const) {
    it(`in the middle of ${name} leaves a sound repository, and the same command succeeds after the boot`, async () => {
      if (subject === undefined) throw new Error(`unreachable: no subject ${name}`);
      const states = model((place) => subject.make(place));
      for (const afterMs of [90, 120, 140, 160, 190]) {
        await withDisk({ sizeMiB: 16 }, async (disk) => {
          const place = await states.copy(disk.path);
          await disk.settle();
          const running = startNode(await bundled(), wordsFor(subject, place));
          const left = placeAt((await disk.cut({ running, afterMs })).path);
          await assertSound(left.repo);
          const again = await runSubject(subject, left, { env: { OSTREE_BOOTID: 'the-next-boot' } });
          assert.equal(again.status, 0, again.stderr);
          await assertSound(left.repo);
          assertTmpEmpty(left.repo);
          subject.whenDone?.(left);
        });
      }
      states.remove();
    });
  }
});

async function copyBelow(disk: string, name: string, states: ReturnType<typeof model>): Promise<Place> {
  fs.mkdirSync(join(disk, name));
  return states.copy(join(disk, name));
}
