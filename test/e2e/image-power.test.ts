/** What is left of a copy when the power fails: an image that was reported as copied. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { needs } from '../support/needs.ts';
import { CUTS, withDisk, withoutSync } from '../support/power-cut.ts';
import { runNode } from '../support/program.ts';
import { copyModel, copyWords, KINDS, type Models, makeModels, removeModels, wholeImageAt } from './image-place.ts';
import { bundled } from './ostree-program.ts';

describe('a power cut', { skip: needs('loop-mount', 'strace', 'root') }, () => {
  let models: Models;
  before(async () => {
    models = await makeModels();
  });
  after(() => removeModels(models));

  /** @returns the image that is there after the cut, or what is wrong with it */
  async function afterCut(kind: (typeof KINDS)[number], cut: (typeof CUTS)[number], prefix: readonly string[]) {
    let found = '';
    await withDisk({ sizeMiB: 16, ...cut }, async (disk) => {
      const place = copyModel(models, kind, disk.path);
      await disk.settle();
      const ended = await runNode(await bundled(), copyWords(models, place, kind), { prefix });
      assert.equal(ended.status, 0, ended.stderr);
      const left = await disk.cut();
      found = await wholeImageAt(join(left.path, place.slice(disk.path.length)), kind).catch(() => 'damaged');
    });
    return found;
  }

  for (const cut of CUTS) {
    for (const kind of KINDS) {
      it(`${cut.name} takes nothing of a copy into ${kind}: that has succeeded`, async () => {
        assert.equal(await afterCut(kind, cut, []), models.after.raw.digest);
      });
    }
  }
  for (const kind of KINDS) {
    it(`takes something of a copy into ${kind}: whose sync calls do nothing, or the tests above prove nothing`, async () => {
      assert.notEqual(await afterCut(kind, CUTS[0], withoutSync()), models.after.raw.digest);
    });
  }
});
