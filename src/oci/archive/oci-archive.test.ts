import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type MadeImage, makeImage } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { TarWriter, type TarWriterEntry } from '../../tar/index.ts';
import { digestOf } from '../digest.ts';
import { blobOf, origin, signal, treeOf } from '../layout/layout.fixture.ts';
import { openLayout } from '../layout/layout.ts';
import { openOciArchive } from './oci-archive.ts';
import { writeOciArchive } from './oci-archive-writer.ts';

/** One archive, written by hand. */
async function tarOf(files: readonly (Partial<TarWriterEntry> & { readonly path: string; readonly data?: string })[]) {
  const chunks: Uint8Array[] = [];
  const tar = new TarWriter((chunk) => void chunks.push(Buffer.from(chunk)));
  for (const { data = '', ...entry } of files) {
    await tar.add({ type: 'file', mode: 0o644, uid: 0, gid: 0, ...entry }, Buffer.from(data));
  }
  await tar.finish();
  return Buffer.concat(chunks);
}

/** An image in a layout, and the same in an archive. */
async function sample(t: TestContext, tag = 'one') {
  const folder = scratch(t);
  const image = await makeImage(join(folder, 'layout'), { tag });
  const file = join(folder, 'image.tar');
  await write(folder, file, image, tag);
  return { folder, file, image, tree: treeOf(join(folder, 'layout')) };
}

async function write(folder: string, file: string, image: MadeImage, tag: string): Promise<void> {
  const layout = openLayout(join(folder, 'layout'));
  const archive = await writeOciArchive(file);
  try {
    for (const blob of [image.configDescriptor, ...image.layers]) {
      await archive.writeBlob(blob, (from) => layout.readBlob(blob.digest, from), signal);
    }
    archive.writeManifest(image.raw);
    archive.setTag(image.descriptor, tag);
    await archive.finish(signal);
  } finally {
    archive.close();
    layout.close();
  }
}

async function open(t: TestContext, file: string, limit?: number) {
  const archive = await openOciArchive(file, signal, limit);
  t.after(() => archive.close());
  return archive;
}

describe('an archive of a layout', () => {
  it('has the same image as the layout', async (t) => {
    const { file, image } = await sample(t);
    const archive = await open(t, file);
    const reader = archive.image('one');
    assert.deepEqual(Buffer.from((await reader.readManifest(undefined, signal)).bytes), Buffer.from(image.raw.bytes));
    for (const blob of [image.configDescriptor, ...image.layers]) {
      const chunks: Buffer[] = [];
      for await (const chunk of reader.readBlob(blob, 0, signal)) chunks.push(Buffer.from(chunk));
      assert.equal(digestOf(Buffer.concat(chunks)), blob.digest);
      assert.ok(archive.hasBlob(blob.digest, blob.size) && !archive.hasBlob(blob.digest, blob.size + 1));
    }
  });

  it('is written the same in every run, and nothing stays beside it', async (t) => {
    const { folder, file, image } = await sample(t);
    const before = fs.readFileSync(file);
    fs.writeFileSync(file, 'something else');
    await write(folder, file, image, 'one');
    assert.deepEqual(fs.readFileSync(file), before);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['image.tar', 'layout']);
    assert.equal(fs.statSync(file).mode & 0o7777, 0o644);
  });

  it('may have a file of its maker beside the index, which is no blob', async (t) => {
    const { folder, image } = await sample(t);
    const file = join(folder, 'beside.tar');
    const writer = await writeOciArchive(file);
    await writer.writeBlob(
      image.configDescriptor,
      (from) => openLayout(join(folder, 'layout')).readBlob(image.configDescriptor.digest, from),
      signal,
    );
    writer.setBeside('note.json', Buffer.from('{}'));
    await writer.finish(signal);
    const archive = await open(t, file);
    assert.equal(Buffer.from(archive.readBeside('note.json', 10) ?? []).toString(), '{}');
    assert.equal(archive.readBeside('other.json', 10), undefined);
    assert.throws(() => archive.readBeside('note.json', 1), { code: 'TOO_LARGE' });
  });

  it('may be compressed', async (t) => {
    const { file, image } = await sample(t);
    fs.writeFileSync(`${file}.gz`, gzipSync(fs.readFileSync(file)));
    assert.equal((await open(t, `${file}.gz`)).find('one').digest, image.raw.digest);
    await assert.rejects(open(t, `${file}.gz`, 1000), { code: 'TOO_LARGE' });
    fs.truncateSync(`${file}.gz`, fs.statSync(`${file}.gz`).size - 20);
    await assert.rejects(open(t, `${file}.gz`), { code: 'COMPRESSION_TRUNCATED' });
  });

  it('may have names that begin with ./, and files of others', async (t) => {
    const { folder, image, tree } = await sample(t);
    const file = join(folder, 'dots.tar');
    const files = Object.entries(tree).map(([path, data]) => ({
      path: `./${path}`,
      data: Buffer.from(data, 'latin1'),
    }));
    const chunks: Uint8Array[] = [];
    const tar = new TarWriter((chunk) => void chunks.push(Buffer.from(chunk)));
    await tar.add({ path: './', type: 'directory', mode: 0o755, uid: 0, gid: 0 });
    for (const { path, data } of files) await tar.add({ path, type: 'file', mode: 0o644, uid: 0, gid: 0 }, data);
    await tar.add({ path: 'manifest.json', type: 'file', mode: 0o644, uid: 0, gid: 0 });
    await tar.finish();
    fs.writeFileSync(file, Buffer.concat(chunks));
    assert.equal((await open(t, file)).find('one').digest, image.raw.digest);
  });

  it('that is none is refused', async (t) => {
    const folder = scratch(t);
    const put = (bytes: Uint8Array) => {
      fs.writeFileSync(join(folder, 'x.tar'), bytes);
      return open(t, join(folder, 'x.tar'));
    };
    await assert.rejects(put(await tarOf([{ path: 'letter', data: 'x' }])), { code: 'NOT_A_LAYOUT' });
    await assert.rejects(put(Buffer.alloc(0)), { code: 'NOT_A_LAYOUT' });
    await assert.rejects(put(Buffer.alloc(5000, 'text')), { code: 'LAYOUT_MALFORMED' });
    const version = { path: 'oci-layout', data: '{"imageLayoutVersion":"1.0.0"}' };
    await assert.rejects(put(await tarOf([version])), { code: 'LAYOUT_MALFORMED' });
    await assert.rejects(put((await tarOf([version])).subarray(0, 515)), { code: 'LAYOUT_MALFORMED' });
    const index = { path: 'index.json', type: 'symlink' as const, linkTarget: '/etc/hostname' };
    await assert.rejects(put(await tarOf([version, index])), { code: 'LAYOUT_MALFORMED' });
    const huge = { path: 'index.json', data: ' '.repeat(4 * 2 ** 20 + 1) };
    await assert.rejects(put(await tarOf([version, huge])), { code: 'TOO_LARGE' });
    await assert.rejects(open(t, folder), { code: 'NOT_A_REGULAR_FILE' });
    await assert.rejects(open(t, join(folder, 'none')), { code: 'ENOENT' });
  });

  it('with a blob that is a link has no such blob', async (t) => {
    const { folder, image, tree } = await sample(t);
    const path = `blobs/${image.raw.digest.replace(':', '/')}`;
    const small = ['oci-layout', 'index.json'].map((name) => ({ path: name, data: tree[name] ?? '' }));
    const link = { path, type: 'symlink' as const, linkTarget: '/etc/hostname' };
    fs.writeFileSync(join(folder, 'link.tar'), await tarOf([...small, { path, data: 'x' }, link]));
    const archive = await open(t, join(folder, 'link.tar'));
    await assert.rejects(archive.image('one').readManifest(undefined, signal), { code: 'BLOB_MISSING' });
  });
});

describe('an archive that is not finished', () => {
  const blob = blobOf('a blob of some length');

  it('leaves the file of its name as it was, and goes on in the next run', async (t) => {
    const { folder, file } = await sample(t);
    const before = fs.readFileSync(file);
    const first = await writeOciArchive(file);
    await first.writeBlob(blob.descriptor, origin(blob.bytes).source, signal);
    first.close();
    assert.deepEqual(fs.readFileSync(file), before);
    const second = await writeOciArchive(file);
    const { source, asked } = origin(blob.bytes);
    await second.writeBlob(blob.descriptor, source, signal);
    assert.deepEqual(asked, []);
    second.discard();
    assert.deepEqual(fs.readFileSync(file), before);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['image.tar', 'layout']);
  });

  it('gives nothing of itself to the next one', async (t) => {
    const { folder, file, image } = await sample(t);
    const before = fs.readFileSync(file);
    const killed = await writeOciArchive(file);
    await killed.writeBlob(blob.descriptor, origin(blob.bytes).source, signal);
    killed.close();
    const staging = join(folder, '.image.tar.partial');
    await makeImage(staging, { tag: 'stray', layers: [] }); // it was killed while it was packed
    await write(folder, file, image, 'one');
    assert.deepEqual(fs.readFileSync(file), before);
    assert.deepEqual(fs.readdirSync(folder).sort(), ['image.tar', 'layout']);
  });

  it('belongs to one writer at a time', async (t) => {
    const { file } = await sample(t);
    const first = await writeOciArchive(file);
    await assert.rejects(writeOciArchive(file, { lockTimeoutMs: 0 }), { code: 'LOCK_TIMEOUT' });
    first.discard();
  });

  it('needs a directory to be in', async (t) => {
    await assert.rejects(writeOciArchive(join(scratch(t), 'none/x.tar')), { code: 'ENOENT' });
  });
});
