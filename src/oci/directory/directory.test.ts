import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { digestOf } from '../digest.ts';
import { blobOf, origin, treeOf } from '../layout/layout.fixture.ts';
import { encodeManifest, type RawManifest, rawManifest } from '../manifest.ts';
import { MEDIA } from '../media-types.ts';
import { openDirectoryImage } from './directory-image.ts';
import { createDirectoryImage, type DirectoryWriter } from './directory-writer.ts';

const BLOCK = join(import.meta.dirname, '../../../test/support/block-koffi.cjs');
const signal = new AbortController().signal;
const layer = blobOf('layer');
const config = blobOf('{}');
const common = { artifactType: undefined, subject: undefined, annotations: {} };
const image = rawManifest(
  encodeManifest({
    kind: 'image',
    mediaType: MEDIA.ociManifest,
    config: config.descriptor,
    layers: [layer.descriptor],
    ...common,
  }),
);
const index = rawManifest(
  encodeManifest({
    kind: 'index',
    mediaType: MEDIA.ociIndex,
    manifests: [{ mediaType: image.mediaType, digest: image.digest, size: image.bytes.length }],
    ...common,
  }),
);
const hex = (digest: string): string => digest.slice('sha256:'.length);
const text = ({ bytes }: { readonly bytes: Uint8Array }): string => Buffer.from(bytes).toString('latin1');
const VERSION = 'Directory Transport Version: 1.1\n';

async function begin(t: TestContext, path: string): Promise<DirectoryWriter> {
  const writer = await createDirectoryImage(path);
  t.after(() => writer.close());
  for (const { bytes, descriptor } of [layer, config]) await writer.writeBlob(descriptor, origin(bytes).source, signal);
  return writer;
}

const expected = {
  [hex(layer.descriptor.digest)]: 'layer',
  [hex(config.descriptor.digest)]: '{}',
  'manifest.json': text(image),
  version: VERSION,
};

describe('an image in a directory', () => {
  it('is made of files named as skopeo names them', async (t) => {
    const dir = scratch(t);
    const writer = await begin(t, join(dir, 'new/image'));
    writer.writeSignatures(image.digest, [Buffer.from('one'), Buffer.from('two')]);
    writer.finish(image);
    assert.deepEqual(treeOf(join(dir, 'new/image')), { ...expected, 'signature-1': 'one', 'signature-2': 'two' });
    assert.deepEqual(readdirSync(join(dir, 'new')), ['image']);
    assert.equal(statSync(join(dir, 'new/image')).mode & 0o777, 0o755);
  });

  it('may be an index with its images and their signatures', async (t) => {
    const path = join(scratch(t), 'image');
    const writer = await begin(t, path);
    writer.writeManifest(image);
    writer.writeSignatures(image.digest, [Buffer.from('member')]);
    writer.writeSignatures(index.digest, [Buffer.from('index')]);
    writer.finish(index);
    assert.deepEqual(treeOf(path), {
      ...expected,
      'manifest.json': text(index),
      [`${hex(image.digest)}.manifest.json`]: text(image),
      [`${hex(image.digest)}-signature-1`]: 'member',
      'signature-1': 'index',
    });
    const opened = openDirectoryImage(path);
    t.after(() => opened.close());
    assert.equal((await opened.readManifest(undefined)).digest, index.digest);
    assert.equal((await opened.readManifest(index.digest)).digest, index.digest);
    assert.deepEqual((await opened.readManifest(image.digest)).bytes, Buffer.from(image.bytes));
    assert.deepEqual(opened.simpleSignatures(image.digest).map(String), [String(Buffer.from('member'))]);
    assert.deepEqual(opened.simpleSignatures(index.digest).map(String), [String(Buffer.from('index'))]);
    await assert.rejects(opened.readManifest(digestOf(Buffer.from('x'))), { code: 'IMAGE_MISSING' });
  });

  for (const [what, prepare] of [
    ['an image', (path: string) => writeFiles(path, { version: VERSION, 'manifest.json': '{}', rest: 'x' })],
    ['an empty directory', (path: string) => mkdirSync(path)],
  ] as const) {
    it(`takes the place of ${what}, which is whole until then`, async (t) => {
      const path = join(scratch(t), 'image');
      prepare(path);
      const before = treeOf(path);
      const writer = await begin(t, path);
      assert.deepEqual(treeOf(path), before);
      writer.finish(image);
      assert.deepEqual(treeOf(path), expected);
    });
  }

  it('takes the place of the image that a link leads to', async (t) => {
    const dir = scratch(t);
    writeFiles(join(dir, 'real'), { version: VERSION, 'manifest.json': '{}' });
    symlinkSync('real', join(dir, 'link'));
    (await begin(t, join(dir, 'link'))).finish(image);
    assert.deepEqual(treeOf(join(dir, 'real')), expected);
  });

  it('does not take the place of anything else', async (t) => {
    const dir = scratch(t);
    writeFiles(join(dir, 'other'), { file: 'x' });
    writeFiles(join(dir, 'newer'), { version: 'Directory Transport Version: 2.0\n' });
    writeFileSync(join(dir, 'file'), '');
    for (const name of ['other', 'newer']) {
      await assert.rejects(createDirectoryImage(join(dir, name)), { code: 'NOT_A_LAYOUT' }, name);
    }
    await assert.rejects(createDirectoryImage(join(dir, 'file')), { code: 'NOT_A_DIRECTORY' });
    const writer = await begin(t, join(dir, 'image'));
    writeFiles(join(dir, 'image'), { 'of somebody': 'else' });
    assert.throws(() => writer.finish(image), { code: 'NOT_A_LAYOUT' });
    assert.deepEqual(treeOf(join(dir, 'image')), { 'of somebody': 'else' });
  });

  it('fills a directory that has to stay: a mount point', { skip: needs('mount') }, async (t) => {
    const path = join(scratch(t), 'image');
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', 'none', path]);
    const first = await begin(t, path);
    assert.deepEqual(readdirSync(path), ['.partial']);
    first.close(); // as after a kill
    (await begin(t, path)).finish(image);
    assert.deepEqual(treeOf(path), expected);
    writeFileSync(join(path, 'f'.repeat(64)), 'of an older image');
    (await begin(t, path)).finish(image);
    assert.deepEqual(treeOf(path), expected);
    assert.deepEqual(readdirSync(path).sort(), Object.keys(expected).sort());
  });

  it('takes the place of another one in two steps where two directories cannot be exchanged', async (t) => {
    const path = join(scratch(t), 'image');
    writeFiles(path, { version: VERSION, 'manifest.json': '{}', rest: 'x' });
    const module = join(import.meta.dirname, 'directory-writer.js');
    const calls = join(import.meta.dirname, '../../linux/calls/ffi.js');
    const script = `
      const { systemCalls } = await import(${JSON.stringify(calls)});
      if (systemCalls() !== undefined) throw new Error('koffi is there');
      const { createDirectoryImage } = await import(${JSON.stringify(module)});
      const writer = await createDirectoryImage(${JSON.stringify(path)});
      const bytes = Buffer.from(${JSON.stringify(text(image))});
      writer.finish({ bytes, mediaType: '', digest: '${image.digest}' });`;
    execFileSync(process.execPath, ['--require', BLOCK, '--input-type=module', '-e', script]);
    assert.deepEqual(treeOf(path), { 'manifest.json': text(image), version: VERSION });
    assert.deepEqual(readdirSync(join(path, '..')), ['image']);
  });

  it('says which blobs it has, and means their bytes', async (t) => {
    const path = join(scratch(t), 'image');
    writeFiles(path, {
      'manifest.json': text(image),
      [hex(layer.descriptor.digest)]: 'layer',
      [hex(config.descriptor.digest)]: '[]',
    });
    const opened = openDirectoryImage(path);
    t.after(() => opened.close());
    assert.ok(await opened.hasBlob(layer.descriptor, signal));
    assert.ok(!(await opened.hasBlob({ ...layer.descriptor, size: 4 }, signal)));
    assert.ok(!(await opened.hasBlob(config.descriptor, signal)));
    assert.ok(!(await opened.hasBlob(blobOf('x').descriptor, signal)));
  });

  it('that was interrupted is gone on with, and leaves nothing of other images', async (t) => {
    const path = join(scratch(t), 'image');
    const first = await createDirectoryImage(path);
    const large = blobOf(Buffer.alloc(5000, 'x'));
    await first.writeBlob(
      blobOf('of another image').descriptor,
      origin(Buffer.from('of another image')).source,
      signal,
    );
    await assert.rejects(first.writeBlob(large.descriptor, origin(large.bytes, { failAt: 3000 }).source, signal));
    first.close();
    assert.ok(!existsSync(path));
    const rest = origin(large.bytes);
    const writer = await begin(t, path);
    await writer.writeBlob(large.descriptor, rest.source, signal);
    writer.finish(image);
    assert.deepEqual(rest.asked, [3000]);
    assert.deepEqual(treeOf(path), { ...expected, [hex(large.descriptor.digest)]: 'x'.repeat(5000) });
  });

  it('comes back when a run was killed between taking it away and putting the new one there', async (t) => {
    const dir = scratch(t);
    const path = join(dir, 'image');
    (await begin(t, path)).finish(image);
    mkdirSync(join(dir, '.image.partial'));
    renameSync(path, join(dir, '.image.partial/old'));
    (await createDirectoryImage(path)).discard();
    assert.deepEqual(treeOf(path), expected);
  });

  it('is refused without its manifest, and named with what it lacks', async (t) => {
    const path = join(scratch(t), 'image');
    mkdirSync(path);
    assert.throws(() => openDirectoryImage(path), { code: 'NOT_A_LAYOUT' });
    rmSync(path, { recursive: true });
    writeFiles(path, { 'manifest.json': text(image), [hex(layer.descriptor.digest)]: 'layer' });
    const opened = openDirectoryImage(path);
    t.after(() => opened.close());
    const read = async (from: typeof layer): Promise<RawManifest['bytes'][]> => {
      const chunks = [];
      for await (const chunk of opened.readBlob(from.descriptor, 1, signal)) chunks.push(Buffer.from(chunk));
      return chunks;
    };
    assert.equal(String(await read(layer)), 'ayer');
    await assert.rejects(read(config), { code: 'BLOB_MISSING' });
  });

  it('hands out signatures of simple signing only', async (t) => {
    const path = join(scratch(t), 'image');
    const others = { 'signature-1': '\0sigstore-json\n{}', 'signature-2': 'simple', 'signature-4': 'after a gap' };
    writeFiles(path, { 'manifest.json': text(image), ...others });
    const opened = openDirectoryImage(path);
    t.after(() => opened.close());
    assert.deepEqual(
      opened.simpleSignatures(image.digest).map((bytes) => Buffer.from(bytes).toString()),
      ['simple'],
    );
    assert.equal(readFileSync(join(path, 'signature-4'), 'utf8'), 'after a gap');
  });
});

function writeFiles(path: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(path);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content, 'latin1');
}
