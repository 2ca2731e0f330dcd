/** A layout and an archive of one, killed at every durable call of whichever thread: the old image or the new one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Layout, openLayer, openLayout, openOciArchive, parseManifest } from '../../src/oci/index.ts';
import { killCounter } from '../support/kill-at.ts';
import { needs } from '../support/needs.ts';
import { makeImage } from '../support/oci-image.ts';
import { makeScratch, removeTree, scratch } from '../support/scratch.ts';
import { NEW_IMAGE, OLD_IMAGE } from './oci-layout-images.ts';

const CHILD = join(import.meta.dirname, 'oci-layout-child.js');
const signal = new AbortController().signal;

function run(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, [CHILD, ...words], { encoding: 'utf8', env: { ...process.env, ...env } });
}

/** The digest of the image, all of which has been verified; undefined where there is nothing yet. */
async function imageOf(layout: Layout): Promise<string> {
  const { digest } = layout.find('one');
  const manifest = parseManifest(layout.readManifest(digest));
  assert.ok(manifest.kind === 'image');
  for (const layer of manifest.layers) {
    for await (const _ of openLayer(layer, layout.readBlob(layer.digest), { limit: 1e9, signal }));
  }
  layout.close();
  return digest;
}

describe('killed at any durable call', { skip: needs('gcc') }, () => {
  const folder = scratch({ after });

  /** @returns how often it was killed */
  async function matrix(kind: 'layout' | 'archive', prepare: () => string, check: (path: string) => Promise<void>) {
    const counter = await killCounter(folder);
    const whole = prepare();
    assert.equal(run([kind, whole], counter.counting).status, 0);
    const calls = counter.count();
    assert.ok(calls > 20, `${calls} durable calls`);
    for (let n = 1; n <= calls; n++) {
      const path = prepare();
      assert.equal(run([kind, path], counter.killAt(n)).signal, 'SIGKILL', `call ${n} of ${calls}`);
      await check(path);
      const again = run([kind, path]);
      assert.equal(again.status, 0, `after call ${n}: ${again.stderr}`);
      await check(path);
      removeTree(dirname(path));
    }
  }

  it('a layout has the old image or the new one, then the new one and no leftovers', async () => {
    const old = await makeImage(join(folder, 'old'), OLD_IMAGE);
    const fresh = await makeImage(join(folder, 'fresh'), NEW_IMAGE);
    const seen = new Set<string>();
    const prepare = () => {
      const path = join(makeScratch(), 'layout');
      cpSync(join(folder, 'old'), path, { recursive: true });
      return path;
    };
    let last: string | undefined;
    await matrix('layout', prepare, async (path) => {
      const digest = await imageOf(openLayout(path));
      assert.ok(digest === old.raw.digest || digest === fresh.raw.digest);
      seen.add(digest);
      if (last === path) {
        assert.equal(digest, fresh.raw.digest);
        assert.deepEqual(readdirSync(join(path, '.partial')), ['lock']);
      }
      last = path;
    });
    assert.equal(seen.size, 2);
  });

  it('a layout that is begun is none, or has the image', async () => {
    const fresh = await makeImage(join(folder, 'fresh'), NEW_IMAGE);
    let last: string | undefined;
    await matrix(
      'layout',
      () => join(makeScratch(), 'layout'),
      async (path) => {
        if (last === path || existsSync(join(path, 'oci-layout'))) {
          assert.equal(await imageOf(openLayout(path)), fresh.raw.digest);
        }
        last = path;
      },
    );
  });

  it('an archive is the old file or the new one, with nothing beside it in the end', async () => {
    const old = await makeImage(join(folder, 'old'), OLD_IMAGE);
    const fresh = await makeImage(join(folder, 'fresh'), NEW_IMAGE);
    const oldFile = join(folder, 'old.tar');
    cpSync(join(folder, 'old'), `${oldFile}.source`, { recursive: true });
    assert.equal(run(['archive', oldFile]).status, 0);
    const prepare = () => {
      const path = join(makeScratch(), 'image.tar');
      cpSync(join(folder, 'fresh'), `${path}.source`, { recursive: true });
      cpSync(oldFile, path);
      return path;
    };
    let last: string | undefined;
    await matrix('archive', prepare, async (path) => {
      const digest = await imageOf(await openOciArchive(path, signal));
      assert.ok(digest === old.raw.digest || digest === fresh.raw.digest);
      if (last === path) {
        assert.equal(digest, fresh.raw.digest);
        assert.deepEqual(readdirSync(dirname(path)).sort(), ['image.tar', 'image.tar.source']);
      }
      last = path;
    });
  });
});
