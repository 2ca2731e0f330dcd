import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeImage, makeIndex, noise } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { digestOf } from '../digest.ts';
import { parseManifest } from '../manifest.ts';
import { signal } from './layout.fixture.ts';
import { openLayout } from './layout.ts';

const INDEX = 'index.json';

/** An image, and its layout opened. */
async function sample(t: TestContext, tag: string | undefined = 'one') {
  const directory = join(scratch(t), 'layout');
  const image = await makeImage(directory, { tag });
  const open = () => {
    const layout = openLayout(directory);
    t.after(() => layout.close());
    return layout;
  };
  const edit = (change: (index: { manifests: Record<string, unknown>[] } & Record<string, unknown>) => void) => {
    const index = JSON.parse(fs.readFileSync(join(directory, INDEX), 'utf8'));
    change(index);
    fs.writeFileSync(join(directory, INDEX), JSON.stringify(index));
  };
  const blobPath = (digest: string) => join(directory, 'blobs', digest.replace(':', '/'));
  return { directory, image, open, edit, blobPath };
}

const named = (tag: string) => ({ 'org.opencontainers.image.ref.name': tag });
const whole = async (stream: AsyncIterable<Uint8Array>) => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
};

describe('an image of a layout', () => {
  it('is found by its tag, by its digest, by its number, and by nothing when it is alone', async (t) => {
    const { image, open } = await sample(t);
    const { digest } = image.descriptor;
    for (const selector of ['one', `@${digest}`, '@0', undefined]) assert.equal(open().find(selector).digest, digest);
    assert.deepEqual(open().tags(), ['one']);
  });

  it('is missing where nothing has the tag, the digest or the number', async (t) => {
    const { open } = await sample(t);
    for (const selector of [
      'two',
      '',
      'One',
      'one ',
      `@${digestOf(Buffer.from('x'))}`,
      '@1',
      '@99999999999999999999',
    ]) {
      assert.throws(() => open().find(selector), { name: 'OciError', code: 'IMAGE_MISSING' });
    }
    for (const selector of ['@', '@latest', '@-1']) {
      assert.throws(() => open().find(selector), { code: 'INVALID_DIGEST' });
    }
  });

  it('has to be named when there are several', async (t) => {
    const { directory, image, open } = await sample(t);
    const other = await makeImage(directory, { tag: 'two', layers: [] });
    assert.throws(() => open().find(), { name: 'OciError', code: 'TAG_AMBIGUOUS', hint: /"one", "two"/ });
    assert.equal(open().find('two').digest, other.raw.digest);
    assert.equal(open().find('one').digest, image.raw.digest);
  });

  it('may be listed twice, but a tag must not name two', async (t) => {
    const { directory, image, open, edit } = await sample(t);
    edit(({ manifests }) => manifests.push({ ...image.descriptor, annotations: named('again') }));
    assert.equal(open().find().digest, image.raw.digest);
    assert.deepEqual(open().tags(), ['one', 'again']);
    const other = await makeImage(directory, { tag: 'two', layers: [] });
    edit(({ manifests }) => manifests.push({ ...other.descriptor, annotations: named('one') }));
    assert.throws(() => open().find('one'), { code: 'TAG_AMBIGUOUS' });
    assert.equal(open().find(`@${other.raw.digest}`).digest, other.raw.digest);
  });

  it('may be a member of an index, selected by its digest', async (t) => {
    const directory = scratch(t);
    const platform = (architecture: string) => ({ platform: { architecture, os: 'linux' } });
    const { raw, members } = await makeIndex(directory, [platform('amd64'), platform('arm64')], 'all');
    const layout = openLayout(directory);
    t.after(() => layout.close());
    const parsed = parseManifest(layout.readManifest(layout.find('all').digest));
    assert.ok(parsed.kind === 'index');
    assert.deepEqual(
      parsed.manifests,
      members.map(({ descriptor }) => descriptor),
    );
    const member = members[1];
    assert.ok(member !== undefined);
    assert.equal(layout.find(`@${member.raw.digest}`).size, member.raw.bytes.length);
    assert.throws(() => layout.find(`@${member.configDescriptor.digest}`), { code: 'MANIFEST_MALFORMED' });
    const reader = layout.image('all');
    assert.deepEqual((await reader.readManifest(undefined, signal)).bytes, Buffer.from(raw.bytes));
    assert.deepEqual((await reader.readManifest(member.raw.digest, signal)).bytes, Buffer.from(member.raw.bytes));
  });

  it('is read byte by byte as it was written', async (t) => {
    const { image, open } = await sample(t);
    const reader = open().image('one');
    assert.deepEqual((await reader.readManifest(undefined, signal)).bytes, Buffer.from(image.raw.bytes));
    for (const layer of image.layers) {
      const bytes = await whole(reader.readBlob(layer, 0, signal));
      assert.equal(digestOf(bytes), layer.digest);
      assert.deepEqual(await whole(reader.readBlob(layer, 10, signal)), bytes.subarray(10));
      assert.equal((await whole(reader.readBlob(layer, layer.size, signal))).length, 0);
    }
  });

  it('is read in bounded pieces, and stops when it is told to', async (t) => {
    const directory = scratch(t);
    const { layers } = await makeImage(directory, { layers: [[{ path: 'x', content: noise(3e6) }]], packing: 'none' });
    const layout = openLayout(directory);
    t.after(() => layout.close());
    const stop = new AbortController();
    const digest = layers[0]?.digest ?? digestOf(Buffer.alloc(0));
    await assert.rejects(
      async () => {
        for await (const chunk of layout.readBlob(digest, 0, stop.signal)) {
          assert.ok(chunk.length <= 2 ** 20);
          stop.abort(new Error('enough'));
        }
      },
      { message: 'enough' },
    );
  });

  it('whose manifest is damaged, cut or gone is refused', async (t) => {
    const { image, open, blobPath } = await sample(t);
    const { digest, size } = image.descriptor;
    const path = blobPath(digest);
    const read = () => open().readManifest(digest, size);
    assert.throws(() => open().readManifest(digest, size + 1), { code: 'INVALID_SIZE' });
    fs.writeFileSync(path, Buffer.from(image.raw.bytes).fill('x', 10, 11));
    assert.throws(read, { name: 'OciError', code: 'INVALID_DIGEST' });
    fs.truncateSync(path, size - 1);
    assert.throws(read, { code: 'INVALID_SIZE' });
    fs.truncateSync(path, 4 * 2 ** 20 + 1);
    assert.throws(() => open().readManifest(digest), { code: 'TOO_LARGE' });
    fs.rmSync(path);
    assert.throws(read, { code: 'BLOB_MISSING' });
    await assert.rejects(whole(open().readBlob(digest)), { code: 'BLOB_MISSING' });
    assert.equal(open().hasBlob(digest, size), false);
  });

  it('is not read through links', async (t) => {
    const { directory, image, open, blobPath } = await sample(t);
    const path = blobPath(image.raw.digest);
    fs.renameSync(path, `${directory}/elsewhere`);
    fs.symlinkSync(`${directory}/elsewhere`, path);
    assert.throws(() => open().readManifest(image.raw.digest), { code: 'NOT_A_REGULAR_FILE' });
    assert.equal(open().hasBlob(image.raw.digest, image.descriptor.size), false);
    fs.renameSync(`${directory}/blobs`, `${directory}/moved`);
    fs.symlinkSync('moved', `${directory}/blobs`);
    assert.throws(() => open().readManifest(image.raw.digest), { code: 'NOT_A_DIRECTORY' });
  });
});

describe('a layout', () => {
  it('leaves a directory that it only reads as it is, even one that it may not write to', async (t) => {
    const { directory, image, open } = await sample(t);
    fs.rmSync(`${directory}/.partial`, { recursive: true });
    const before = fs.readdirSync(directory);
    fs.chmodSync(directory, 0o555);
    assert.equal(open().find('one').digest, image.raw.digest);
    assert.deepEqual(fs.readdirSync(directory), before);
    fs.chmodSync(directory, 0o755);
  });

  it('that is none is refused', async (t) => {
    const { directory, open } = await sample(t);
    fs.rmSync(`${directory}/oci-layout`);
    assert.throws(open, { name: 'OciError', code: 'NOT_A_LAYOUT' });
    assert.throws(() => openLayout(`${directory}/none`), { code: 'ENOENT' });
    assert.throws(() => openLayout(`${directory}/${INDEX}`), { code: 'NOT_A_DIRECTORY' });
  });

  for (const [what, name, content] of [
    ['a cut index', INDEX, '{"schemaVersion":2,"manifests":['],
    ['an empty index', INDEX, ''],
    ['an index of schema 1', INDEX, '{"schemaVersion":1,"manifests":[]}'],
    ['an index with a malformed entry', INDEX, '{"schemaVersion":2,"manifests":[{"digest":"sha256:xy"}]}'],
    ['an index that is a list', INDEX, '[]'],
    ['a version that is no JSON', 'oci-layout', '1.0.0'],
    ['no version', 'oci-layout', '{}'],
    ['a version of the future', 'oci-layout', '{"imageLayoutVersion":"2.0.0"}'],
  ] as const) {
    it(`with ${what} is malformed`, async (t) => {
      const { directory, open } = await sample(t);
      fs.writeFileSync(join(directory, name), content);
      assert.throws(open, { name: 'OciError', code: 'LAYOUT_MALFORMED' });
    });
  }

  it('without index is malformed, and with one of more than 4 MiB too large', async (t) => {
    const { directory, open } = await sample(t);
    fs.truncateSync(join(directory, INDEX), 4 * 2 ** 20 + 1);
    assert.throws(open, { code: 'TOO_LARGE' });
    fs.rmSync(join(directory, INDEX));
    assert.throws(open, { code: 'LAYOUT_MALFORMED' });
    fs.symlinkSync('/etc/hostname', join(directory, INDEX));
    assert.throws(open, { code: 'NOT_A_REGULAR_FILE' });
  });

  it('may have null for no images', async (t) => {
    const { directory, open } = await sample(t);
    fs.writeFileSync(join(directory, INDEX), '{"schemaVersion":2,"manifests":null}');
    assert.throws(() => open().find(), { code: 'IMAGE_MISSING' });
  });
});
