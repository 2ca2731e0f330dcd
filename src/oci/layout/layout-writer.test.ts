import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeImage, makeIndex, noise } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { rawManifest } from '../manifest.ts';
import { blobOf, origin, signal, treeOf } from './layout.fixture.ts';
import { openLayout } from './layout.ts';
import { changeLayout, createLayout, type LayoutWriterOptions } from './layout-writer.ts';

const BLOB = blobOf(noise(50_000));
const PART = `.partial/${BLOB.descriptor.digest.replace(':', '-')}`;

async function writer(t: TestContext, directory: string, options: LayoutWriterOptions = {}) {
  const layout = await createLayout(directory, options);
  t.after(() => layout.close());
  return layout;
}

describe('a layout that is written', () => {
  it('is made where nothing is, with its directories', async (t) => {
    const directory = join(scratch(t), 'a/b');
    (await writer(t, directory)).flush();
    assert.deepEqual(treeOf(directory), {
      'index.json': '{"schemaVersion":2,"manifests":[]}',
      'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    });
    assert.ok(fs.statSync(join(directory, 'blobs/sha256')).isDirectory());
  });

  it('is as it was until it is flushed', async (t) => {
    const directory = scratch(t);
    const before = await makeImage(directory, { tag: 'one' });
    const layout = await writer(t, directory);
    layout.removeTag('one');
    layout.close();
    const after = openLayout(directory);
    t.after(() => after.close());
    assert.equal(after.find('one').digest, before.raw.digest);
  });

  it('is the same after the same image came again, and its index is not written again', async (t) => {
    const directory = scratch(t);
    await makeImage(directory, { tag: 'one' });
    const [before, inode] = [treeOf(directory), fs.statSync(join(directory, 'index.json')).ino];
    await makeImage(directory, { tag: 'one' });
    assert.deepEqual(treeOf(directory), before);
    assert.equal(fs.statSync(join(directory, 'index.json')).ino, inode);
  });

  it('is not begun among the files of somebody else', async (t) => {
    const directory = scratch(t);
    fs.writeFileSync(join(directory, 'letter'), '');
    await assert.rejects(createLayout(directory), { name: 'OciError', code: 'NOT_A_LAYOUT' });
    fs.mkdirSync(join(directory, '.partial'));
    await assert.rejects(createLayout(directory), { code: 'NOT_A_LAYOUT' });
    assert.deepEqual(fs.readdirSync(directory).sort(), ['.partial', 'letter']);
    fs.rmSync(join(directory, '.partial'), { recursive: true });
    await assert.rejects(changeLayout(directory), { code: 'NOT_A_LAYOUT' });
    assert.deepEqual(fs.readdirSync(directory), ['letter']);
  });

  it('is begun where a killed run has begun it', async (t) => {
    const directory = scratch(t);
    (await createLayout(directory)).close();
    fs.mkdirSync(join(directory, 'blobs'));
    fs.writeFileSync(join(directory, 'index.json'), '{"schemaVersion":2,"manifests":[]}');
    await makeImage(directory, { tag: 'one' });
    openLayout(directory).close();
  });

  it('loses the leftovers of killed runs when it is flushed, and what is not ours stays', async (t) => {
    const directory = scratch(t);
    (await createLayout(directory)).close();
    for (const name of [PART, `${PART}.new`, '.partial/index.json', '.partial/notes'])
      fs.writeFileSync(join(directory, name), 'x');
    (await writer(t, directory)).flush();
    assert.deepEqual(fs.readdirSync(join(directory, '.partial')).sort(), ['lock', 'notes']);
  });

  it('belongs to one writer at a time', async (t) => {
    const directory = scratch(t);
    const first = await writer(t, directory);
    let waited = 0;
    const onWait = () => {
      waited++;
    };
    await assert.rejects(createLayout(directory, { lockTimeoutMs: 50, onWait }), { code: 'LOCK_TIMEOUT' });
    const second = createLayout(directory, { onWait });
    first.setTag(blobOf('x').descriptor, 'first');
    first.flush();
    setTimeout(() => first.close(), 30);
    const layout = await second;
    t.after(() => layout.close());
    assert.equal(waited, 2);
    assert.deepEqual(layout.tags(), ['first'], 'what the first wrote is seen');
  });

  it('does not follow links to its own folders', async (t) => {
    const directory = scratch(t);
    const outside = scratch(t);
    (await createLayout(directory)).close();
    fs.symlinkSync(outside, join(directory, 'blobs'));
    const layout = await writer(t, directory);
    await assert.rejects(layout.writeBlob(BLOB.descriptor, origin(BLOB.bytes).source, signal), {
      code: 'NOT_A_DIRECTORY',
    });
    layout.close();
    fs.rmSync(join(directory, '.partial'), { recursive: true });
    fs.rmSync(join(directory, 'blobs'));
    fs.symlinkSync(outside, join(directory, '.partial'));
    await assert.rejects(createLayout(directory), { code: 'NOT_A_DIRECTORY' });
    assert.deepEqual(fs.readdirSync(outside), []);
  });

  it('can lose the blobs that no image needs, and keeps all others', async (t) => {
    const directory = scratch(t);
    const kept = await makeImage(directory, { tag: 'kept' });
    const platform = { architecture: 'amd64', os: 'linux' };
    const { members } = await makeIndex(directory, [{ platform, layers: [[{ path: 'member' }]] }], 'index');
    const gone = await makeImage(directory, { tag: 'gone', layers: [[{ path: 'gone', content: noise(5000) }]] });
    const layout = await writer(t, directory);
    fs.writeFileSync(join(directory, 'blobs/sha256/README'), '');
    assert.equal(layout.removeUnreferenced(), 0);
    layout.removeTag('gone');
    const own = [gone.descriptor, gone.configDescriptor, ...gone.layers];
    assert.equal(
      layout.removeUnreferenced(),
      own.reduce((sum, { size }) => sum + size, 0),
    );
    for (const { digest, size } of own) assert.equal(layout.hasBlob(digest, size), false);
    for (const { descriptor, configDescriptor, layers } of [kept, ...members]) {
      for (const { digest, size } of [descriptor, configDescriptor, ...layers]) assert.ok(layout.hasBlob(digest, size));
    }
    assert.ok(fs.existsSync(join(directory, 'blobs/sha256/README')));
  });

  it('loses no blobs while it has an image that nobody understands', async (t) => {
    const directory = scratch(t);
    await makeImage(directory, { tag: 'known' });
    const layout = await writer(t, directory);
    const raw = rawManifest(Buffer.from('{"schemaVersion":2,"mediaType":"application/x"}'));
    layout.writeManifest(raw);
    layout.setTag({ mediaType: raw.mediaType, digest: raw.digest, size: raw.bytes.length }, 'unknown');
    layout.removeTag('known');
    const before = fs.readdirSync(join(directory, 'blobs/sha256'));
    assert.throws(() => layout.removeUnreferenced(), { code: 'MANIFEST_UNSUPPORTED' });
    assert.deepEqual(fs.readdirSync(join(directory, 'blobs/sha256')), before);
  });

  it('takes manifests only with their own digest, and of at most 4 MiB', async (t) => {
    const directory = scratch(t);
    const layout = await writer(t, directory);
    const raw = rawManifest(Buffer.from('{"schemaVersion":2}'));
    const other = rawManifest(Buffer.from('{"schemaVersion":2,"x":1}'));
    assert.throws(() => layout.writeManifest({ ...raw, bytes: other.bytes }), { code: 'INVALID_DIGEST' });
    assert.throws(() => layout.writeManifest({ ...raw, bytes: Buffer.alloc(4 * 2 ** 20 + 1) }), { code: 'TOO_LARGE' });
    layout.writeManifest(raw);
    layout.writeManifest(raw);
    assert.deepEqual(layout.readManifest(raw.digest).bytes, raw.bytes);
    assert.deepEqual(Object.keys(treeOf(directory)), [`blobs/${raw.digest.replace(':', '/')}`]);
  });
});
