/**
 * Commands that bring an image into a repository, ended in bad moments. All of their durable calls are in the long
 * test beside this one.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { withSmallDisk } from '../support/full-disk.ts';
import { needs } from '../support/needs.ts';
import { noise } from '../support/oci-image.ts';
import { CUTS, withDisk } from '../support/power-cut.ts';
import { runNode } from '../support/program.ts';
import { removeTree } from '../support/scratch.ts';
import {
  assertNoDamage,
  copyRepository,
  crashesOf,
  type Incoming,
  incoming,
  lasting,
  resultIn,
  SUBJECTS,
} from './container-crash.ts';
import { assertSound, assertTmpEmpty, refsOf } from './ostree-place.ts';
import { bundled } from './ostree-program.ts';

for (const subject of SUBJECTS) {
  describe(subject, { skip: needs('strace', 'ostree', 'root', 'loop-mount') }, () => {
    let image: Incoming;
    before(async () => {
      image = await incoming(subject, noise(2 ** 20));
    });
    after(() => removeTree(image.folder));

    it('that is killed is done or not begun, and succeeds when it is run again', async (t) => {
      t.diagnostic(await crashesOf(subject, 'KILL', 40));
    });

    it('onto a full disk leaves the repository as it was, and succeeds when there is room', async () => {
      const script = await bundled();
      await withSmallDisk({ sizeKiB: 8192 }, async (disk) => {
        const repo = await copyRepository(image, join(disk.path, 'place'));
        const refs = refsOf(repo);
        await disk.fill(300_000);
        const ended = await runNode(script, [...image.words(repo), '--json']);
        assert.equal(ended.status, 1, ended.stderr);
        assert.match(JSON.parse(ended.stdout).code, /^(DISK_FULL|ENOSPC|MIN_FREE_SPACE)$/);
        await disk.release();
        await assertNoDamage(repo);
        const { [baseRefOf(refs, refsOf(repo))]: _, ...others } = refsOf(repo);
        assert.deepEqual(others, refs);
        const again = await runNode(script, image.words(repo));
        assert.equal(again.status, 0, again.stderr);
        assert.notEqual(resultIn(repo), refs['heads/main'] ?? '');
        await assertSound(repo);
      });
    });

    it('twice at once is as once', async (t) => {
      const script = await bundled();
      const [once, twice] = [await copyRepository(image), await copyRepository(image)];
      t.after(() => [once, twice].forEach((repo) => void removeTree(join(repo, '..'))));
      assert.equal((await runNode(script, image.words(once))).status, 0);
      const ends = await Promise.all([runNode(script, image.words(twice)), runNode(script, image.words(twice))]);
      for (const { status, stderr } of ends) assert.equal(status, 0, stderr);
      assert.deepEqual(lasting(twice), lasting(once));
      assertTmpEmpty(twice);
      await assertSound(twice);
    });

    for (const cut of CUTS) {
      it(`loses nothing when the power fails ${cut.name}`, async () => {
        await withDisk({ sizeMiB: 24, ...cut }, async (disk) => {
          const repo = await copyRepository(image, join(disk.path, 'place'));
          await disk.settle();
          const ended = await runNode(await bundled(), image.words(repo));
          assert.equal(ended.status, 0, ended.stderr);
          const left = join((await disk.cut()).path, 'place/repo');
          assert.equal(resultIn(left), resultIn(repo));
          await assertSound(left);
        });
      });
    }
  });
}

/** Of the store: the layer with the commit, which is finished before the next one is asked for. */
function baseRefOf(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): string {
  const more = Object.keys(after).filter((name) => before[name] === undefined);
  assert.ok(more.length <= 1 && more.every((name) => name.startsWith('heads/ostree/container/blob/')), more.join(' '));
  return more[0] ?? '';
}
