import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { listTree, manifestFile, never } from '../host.fixture.ts';
import { generateSecretKey } from '../manifest/key.ts';
import { key, secret, signLines } from '../manifest/manifest.fixture.ts';
import { openManifest } from '../manifest/manifest.ts';
import { rotateKey } from './rotate.ts';

const IMAGES = { '1.0': 'one', '1.1': 'two' };
const NEW = generateSecretKey();
const ports = { wait: { timeoutMs: 0, onWait: () => undefined }, warn: (text: string) => assert.fail(text) };

function server(t: TestContext, manifest: Uint8Array | undefined = manifestFile(IMAGES)): string {
  const root = scratch(t);
  if (manifest !== undefined) fs.writeFileSync(join(root, 'manifest'), manifest);
  return root;
}
async function rotate(path: string, keys = { old: key, new: NEW }, dryRun = false): Promise<string> {
  const { entries, outcome } = await rotateKey(path, keys, dryRun, ports, never);
  return `${entries} ${outcome}`;
}
const read = (path: string): Buffer => fs.readFileSync(join(path, 'manifest'));

describe('changing the key of a manifest', () => {
  it('signs the same entries under the new one, read-only', async (t) => {
    const path = server(t);
    assert.equal(await rotate(path), '2 signed');
    assert.deepEqual(read(path), Buffer.from(manifestFile(IMAGES, NEW)));
    assert.equal(fs.statSync(join(path, 'manifest')).mode & 0o7777, 0o444);
    assert.throws(() => openManifest(read(path), [key]), { code: 'INVALID_SIGNATURE' });
  });

  it('that was done before changes nothing', async (t) => {
    const path = server(t);
    await rotate(path);
    const before = listTree(path);
    assert.equal(await rotate(path), '2 unchanged');
    assert.deepEqual(listTree(path), before);
  });

  it('to the same key is no change', async (t) => {
    const path = server(t);
    assert.equal(await rotate(path, { old: key, new: secret }), '2 unchanged');
    assert.deepEqual(read(path), Buffer.from(manifestFile(IMAGES)));
  });

  it('of a manifest that a third one signed is refused', async (t) => {
    const path = server(t, manifestFile(IMAGES, generateSecretKey()));
    const before = read(path);
    for (const dryRun of [true, false]) {
      await assert.rejects(rotate(path, undefined, dryRun), { code: 'INVALID_SIGNATURE', hint: /--old-public-key/ });
    }
    assert.deepEqual(read(path), before);
  });

  it('of a manifest without entries is possible', async (t) => {
    const path = server(t, signLines([]));
    assert.equal(await rotate(path), '0 signed');
    assert.equal(openManifest(read(path), [NEW.publicKey]).entries.length, 0);
  });

  it('keeps every entry of one that is not sorted, or lists one twice', async (t) => {
    const digest = 'a'.repeat(64);
    const path = server(t, signLines([`2.0 1 ${digest}`, `1.0 1 ${digest}`, `1.0 1 ${digest}`]));
    assert.equal(await rotate(path), '3 signed');
    const { entries } = openManifest(read(path), [NEW.publicKey]);
    assert.deepEqual(
      entries.map((entry) => entry.version.text),
      ['1.0', '1.0', '2.0'],
    );
  });

  it('in a dry run says the same and changes nothing', async (t) => {
    const path = server(t);
    const before = listTree(path);
    assert.equal(await rotate(path, undefined, true), '2 signed');
    assert.deepEqual(listTree(path), before);
  });

  it('where nothing is published, or others may write, is refused', async (t) => {
    const path = scratch(t);
    await assert.rejects(rotate(path), { code: 'NO_MANIFEST' });
    await assert.rejects(rotate(join(path, 'none')), { code: 'NO_DIRECTORY' });
    fs.chmodSync(path, 0o777);
    await assert.rejects(rotate(path), { code: 'UNSAFE_OWNER' });
  });
});
