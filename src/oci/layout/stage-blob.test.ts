import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { noise } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { blobOf, origin, signal, treeOf } from './layout.fixture.ts';
import { createLayout, type LayoutWriterOptions } from './layout-writer.ts';

const BLOB = blobOf(noise(50_000));
const PART = `.partial/${BLOB.descriptor.digest.replace(':', '-')}`;
const FINAL = `blobs/${BLOB.descriptor.digest.replace(':', '/')}`;

async function writer(t: TestContext, directory: string, options: LayoutWriterOptions = {}) {
  const layout = await createLayout(directory, options);
  t.after(() => layout.close());
  return layout;
}

describe('a blob on its way into a layout', () => {
  it('is there when it has come, and not asked for again', async (t) => {
    const directory = scratch(t);
    const layout = await writer(t, directory);
    const { source, asked } = origin(BLOB.bytes);
    assert.equal(layout.hasBlob(BLOB.descriptor.digest, BLOB.descriptor.size), false);
    await layout.writeBlob(BLOB.descriptor, source, signal);
    await layout.writeBlob(BLOB.descriptor, source, signal);
    assert.deepEqual(asked, [0]);
    assert.deepEqual(treeOf(directory), { [FINAL]: BLOB.bytes.toString('latin1') });
    assert.equal(fs.statSync(join(directory, FINAL)).mode & 0o7777, 0o644);
  });

  it('may be empty, and of sha512', async (t) => {
    const directory = scratch(t);
    const layout = await writer(t, directory);
    const empty = blobOf('');
    await layout.writeBlob(empty.descriptor, origin(empty.bytes).source, signal);
    const digest =
      `sha512:${'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e'}` as const;
    await layout.writeBlob({ ...empty.descriptor, digest }, origin(empty.bytes).source, signal);
    assert.deepEqual(Object.keys(treeOf(directory)), [
      `blobs/${empty.descriptor.digest.replace(':', '/')}`,
      `blobs/${digest.replace(':', '/')}`,
    ]);
  });

  it('that is interrupted goes on where it was, in the next run as well', async (t) => {
    const directory = scratch(t);
    const first = await writer(t, directory);
    const failing = origin(BLOB.bytes, { failAt: 20_000 });
    await assert.rejects(first.writeBlob(BLOB.descriptor, failing.source, signal), { message: 'connection reset' });
    first.close();
    assert.equal(fs.statSync(join(directory, PART)).size, 20_000);
    const second = await writer(t, directory);
    const { source, asked } = origin(BLOB.bytes);
    await second.writeBlob(BLOB.descriptor, source, signal);
    assert.deepEqual(asked, [20_000]);
    assert.deepEqual(fs.readFileSync(join(directory, FINAL)), BLOB.bytes);
  });

  it('that a killed run had got as a whole is not asked for', async (t) => {
    const directory = scratch(t);
    (await createLayout(directory)).close();
    fs.writeFileSync(join(directory, PART), BLOB.bytes);
    const { source, asked } = origin(BLOB.bytes);
    await (await writer(t, directory)).writeBlob(BLOB.descriptor, source, signal);
    assert.deepEqual(asked, []);
    assert.deepEqual(fs.readFileSync(join(directory, FINAL)), BLOB.bytes);
  });

  for (const [what, left, asked] of [
    ['a damaged part', BLOB.bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)).subarray(0, 30_000), [30_000, 0]],
    ['a damaged whole', BLOB.bytes.map((byte, i) => (i === 5 ? byte ^ 1 : byte)), [0]],
    ['too much', Buffer.concat([BLOB.bytes, Buffer.alloc(9)]), [0]],
  ] as const) {
    it(`of which ${what} was left comes anew`, async (t) => {
      const directory = scratch(t);
      (await createLayout(directory)).close();
      fs.writeFileSync(join(directory, PART), left);
      const fresh = origin(BLOB.bytes);
      await (await writer(t, directory)).writeBlob(BLOB.descriptor, fresh.source, signal);
      assert.deepEqual(fresh.asked, asked);
      assert.deepEqual(fs.readFileSync(join(directory, FINAL)), BLOB.bytes);
    });
  }

  it('never grows in a file that is not ours alone', async (t) => {
    const directory = scratch(t);
    (await createLayout(directory)).close();
    const outside = join(scratch(t), 'outside');
    fs.writeFileSync(outside, BLOB.bytes.subarray(0, 10));
    for (const plant of [
      () => fs.symlinkSync(outside, join(directory, PART)),
      () => fs.linkSync(outside, join(directory, PART)),
    ]) {
      plant();
      const layout = await createLayout(directory);
      const failing = origin(BLOB.bytes, { failAt: 2000 });
      await assert.rejects(layout.writeBlob(BLOB.descriptor, failing.source, signal));
      layout.close();
      assert.deepEqual(failing.asked, [0]);
      assert.equal(fs.statSync(outside).size, 10);
      fs.rmSync(join(directory, PART));
    }
  });

  for (const [what, bytes, code] of [
    ['other bytes', BLOB.bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte)), 'INVALID_DIGEST'],
    ['too many bytes', Buffer.concat([BLOB.bytes, Buffer.alloc(1)]), 'INVALID_SIZE'],
    ['endless bytes', Buffer.alloc(10 * 2 ** 20), 'INVALID_SIZE'],
  ] as const) {
    it(`of which ${what} come is refused, and nothing of it stays`, async (t) => {
      const directory = scratch(t);
      const layout = await writer(t, directory);
      const { source } = origin(bytes);
      await assert.rejects(layout.writeBlob(BLOB.descriptor, source, signal), { name: 'OciError', code });
      assert.deepEqual(treeOf(directory), {});
    });
  }

  it('of which too little comes is refused, and gone on with', async (t) => {
    const directory = scratch(t);
    const layout = await writer(t, directory);
    const short = origin(BLOB.bytes.subarray(0, 49_999));
    await assert.rejects(layout.writeBlob(BLOB.descriptor, short.source, signal), { code: 'INVALID_SIZE' });
    assert.deepEqual(Object.keys(treeOf(directory)), [PART]);
    const { source, asked } = origin(BLOB.bytes);
    await layout.writeBlob(BLOB.descriptor, source, signal);
    assert.deepEqual(asked, [49_999]);
  });

  it('comes once for two who want it at the same time', async (t) => {
    const layout = await writer(t, scratch(t));
    const { source, asked } = origin(BLOB.bytes, { chunk: 100 });
    await Promise.all([1, 2, 3].map(() => layout.writeBlob(BLOB.descriptor, source, signal)));
    assert.deepEqual(asked, [0]);
  });

  it('is asked for again by the second when the first fails', async (t) => {
    const layout = await writer(t, scratch(t));
    const failing = origin(BLOB.bytes, { failAt: 1000 });
    const good = origin(BLOB.bytes);
    const first = layout.writeBlob(BLOB.descriptor, failing.source, signal);
    const second = layout.writeBlob(BLOB.descriptor, good.source, signal);
    await assert.rejects(first, { message: 'connection reset' });
    await second;
    assert.deepEqual(good.asked, [1000]);
  });

  it('replaces a file of the wrong size', async (t) => {
    const directory = scratch(t);
    const layout = await writer(t, directory);
    fs.mkdirSync(join(directory, 'blobs/sha256'), { recursive: true });
    fs.writeFileSync(join(directory, FINAL), 'cut');
    await layout.writeBlob(BLOB.descriptor, origin(BLOB.bytes).source, signal);
    assert.deepEqual(fs.readFileSync(join(directory, FINAL)), BLOB.bytes);
  });

  it('that cannot fit is refused before the first byte', async (t) => {
    const layout = await writer(t, scratch(t));
    const { source, asked } = origin(BLOB.bytes);
    const huge = { ...BLOB.descriptor, size: Number.MAX_SAFE_INTEGER };
    await assert.rejects(layout.writeBlob(huge, source, signal), { code: 'DISK_FULL' });
    assert.deepEqual(asked, []);
  });

  it('stops when it is told to', async (t) => {
    const layout = await writer(t, scratch(t));
    const stop = new AbortController();
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < BLOB.bytes.length; at += 1000) {
        if (at === 5000) stop.abort(new Error('enough'));
        yield BLOB.bytes.subarray(at, at + 1000);
      }
    }
    await assert.rejects(layout.writeBlob(BLOB.descriptor, source, stop.signal), { message: 'enough' });
  });
});
