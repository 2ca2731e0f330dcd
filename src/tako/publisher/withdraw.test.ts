import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { openDestination } from '../destination/destination.ts';
import { type Images, listTree, manifestFile, never, sha256 } from '../host.fixture.ts';
import { signLines } from '../manifest/manifest.fixture.ts';
import { withdrawImage } from './withdraw.ts';

function server(t: TestContext, images: Images): string {
  const root = scratch(t);
  fs.mkdirSync(join(root, 'store'));
  for (const content of Object.values(images)) fs.writeFileSync(join(root, 'store', sha256(content)), content);
  fs.writeFileSync(join(root, 'manifest'), manifestFile(images));
  return root;
}
const ports = { wait: { timeoutMs: 0, onWait: () => undefined } };
async function withdraw(path: string, version: string, dryRun = false): Promise<string> {
  const { entry, removed } = await withdrawImage(path, version, dryRun, ports, never);
  return `${entry.version.text} ${removed}`;
}
const IMAGES = { '1.0': 'one', '1.1': 'two', '1.2': 'two' };

describe('withdrawing an image', () => {
  it('deletes its file, and leaves the manifest as it is', async (t) => {
    const path = server(t, IMAGES);
    const manifest = fs.statSync(join(path, 'manifest'));
    assert.equal(await withdraw(path, '1.0'), '1.0 true');
    assert.deepEqual(fs.readdirSync(join(path, 'store')), [sha256('two')]);
    assert.equal(fs.statSync(join(path, 'manifest')).ino, manifest.ino);
    assert.deepEqual(fs.readFileSync(join(path, 'manifest')), Buffer.from(manifestFile(IMAGES)));
  });

  it('that is gone already is no failure, and neither is a missing store', async (t) => {
    const path = server(t, IMAGES);
    await withdraw(path, '1.0');
    assert.equal(await withdraw(path, '1.0'), '1.0 false');
    fs.rmSync(join(path, 'store'), { recursive: true });
    assert.equal(await withdraw(path, '1.0'), '1.0 false');
  });

  it('knows the version in any spelling', async (t) => {
    assert.equal(await withdraw(server(t, IMAGES), '1'), '1.0 true');
  });

  it('that other versions have, too, is refused', async (t) => {
    const path = server(t, IMAGES);
    for (const dryRun of [false, true]) await assert.rejects(withdraw(path, '1.1', dryRun), { code: 'SHARED_IMAGE' });
    assert.equal(fs.readdirSync(join(path, 'store')).length, 2);
  });

  it('whose version is merely listed twice, in one spelling or two, is shared with nobody', async (t) => {
    const line = (version: string): string => `${version} 3 ${sha256('one')}`;
    for (const twin of ['1.0', '1.0.0']) {
      const path = server(t, { '1.0': 'one' });
      fs.writeFileSync(join(path, 'manifest'), signLines([line('1.0'), line(twin)]));
      assert.equal(await withdraw(path, '1.0'), '1.0 true', twin);
    }
  });

  it('of a version that is not published, or where nothing is, is refused', async (t) => {
    const path = server(t, IMAGES);
    await assert.rejects(withdraw(path, '9'), { code: 'UNKNOWN_VERSION' });
    fs.rmSync(join(path, 'manifest'));
    await assert.rejects(withdraw(path, '1.0'), { code: 'NO_MANIFEST' });
    await assert.rejects(withdraw(join(path, 'none'), '1.0'), { code: 'NO_DIRECTORY' });
  });

  it('goes by a manifest that can be read', async (t) => {
    const path = server(t, IMAGES);
    fs.writeFileSync(join(path, 'manifest'), '<html>');
    await assert.rejects(withdraw(path, '1.0'), { code: 'INVALID_MANIFEST' });
    assert.equal(fs.readdirSync(join(path, 'store')).length, 2);
  });

  it('in a dry run says the same and changes nothing', async (t) => {
    const path = server(t, IMAGES);
    const before = listTree(path);
    assert.equal(await withdraw(path, '1.0', true), '1.0 true');
    assert.deepEqual(listTree(path), before);
    fs.rmSync(join(path, 'store', sha256('one')));
    assert.equal(await withdraw(path, '1.0', true), '1.0 false');
  });

  it('is refused where others may write, and while another run is at work', async (t) => {
    const path = server(t, IMAGES);
    const directory = openDestination(path, 'refuse');
    t.after(() => directory.close());
    const lock = await directory.lock({ timeoutMs: 0, onWait: () => undefined }, never);
    await assert.rejects(withdraw(path, '1.0'), { code: 'LOCK_TIMEOUT' });
    lock.release();
    fs.chmodSync(path, 0o777);
    await assert.rejects(withdraw(path, '1.0'), { code: 'UNSAFE_OWNER' });
  });
});
