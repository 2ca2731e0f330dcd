import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as zlib from 'node:zlib';
import { gunzipSync, gzipSync } from 'node:zlib';
import { needs } from '../../../test/support/needs.ts';
import { filter, source, whole } from '../../compression/streams.fixture.ts';
import type { Descriptor } from '../descriptor.ts';
import { type Digest, digestOf } from '../digest.ts';
import { type LayerPacking, MEDIA } from '../media-types.ts';
import { openLayer } from './open-layer.ts';
import { packLayer } from './pack-layer.ts';

const TAR = Buffer.concat([
  Buffer.alloc(300_000, 'tar'),
  Buffer.from(Array.from({ length: 9999 }, (_, i) => (i * i) % 251)),
]);
const DIFF_ID = digestOf(TAR);
const signal = new AbortController().signal;

interface Words {
  readonly mediaType?: string;
  readonly descriptor?: Partial<Descriptor>;
  readonly diffId?: Digest;
  readonly limit?: number;
  readonly chunk?: number;
}

/** A blob, opened as what its descriptor says. */
function open(blob: Uint8Array, { mediaType = MEDIA.ociLayerGzip, descriptor, limit = 2 ** 30, ...words }: Words = {}) {
  const described = { mediaType, digest: digestOf(blob), size: blob.length, ...descriptor };
  const { bytes, seen } = source(blob, words.chunk);
  const options = { limit, signal, ...(words.diffId !== undefined && { diffId: words.diffId }) };
  return { layer: openLayer(described, bytes, options), seen };
}

async function packed(packing: LayerPacking, level?: number) {
  const chunks: Buffer[] = [];
  const facts = await packLayer(source(TAR).bytes, packing, (chunk) => void chunks.push(Buffer.from(chunk)), { level });
  return { ...facts, blob: Buffer.concat(chunks) };
}

describe('a layer', () => {
  for (const mediaType of [
    MEDIA.ociLayerGzip,
    MEDIA.dockerLayerGzip,
    MEDIA.dockerForeign,
    `${MEDIA.ociForeign}+gzip`,
  ]) {
    it(`of ${mediaType} is its tar`, async () => {
      const { layer, seen } = open(gzipSync(TAR), { mediaType, diffId: DIFF_ID });
      assert.deepEqual(await whole(layer), TAR);
      assert.ok(seen.closed);
    });
  }

  it('is told by its first bytes where its type is wrong', async () => {
    assert.deepEqual(await whole(open(TAR, { mediaType: MEDIA.ociLayerGzip, diffId: DIFF_ID }).layer), TAR);
    assert.deepEqual(await whole(open(gzipSync(TAR), { mediaType: MEDIA.ociLayer, diffId: DIFF_ID }).layer), TAR);
    assert.deepEqual(await whole(open(gzipSync(TAR), { mediaType: MEDIA.ociLayerZstd }).layer), TAR);
  });

  it('may be zstd: several frames, skippable ones among them', { skip: needs('zstd') }, async () => {
    const half = TAR.length / 2;
    const [first, second] = [TAR.subarray(0, half), TAR.subarray(half)].map((part) => filter('zstd', ['-c'], part));
    assert.ok(first !== undefined && second !== undefined);
    const skippable = Buffer.from('502a4d1804000000deadbeef', 'hex');
    const blob = Buffer.concat([first, skippable, second, skippable]);
    for (const mediaType of [MEDIA.ociLayerZstd, MEDIA.ociLayerGzip]) {
      assert.deepEqual(await whole(open(blob, { mediaType, diffId: DIFF_ID }).layer), TAR);
    }
  });

  it('may come in chunks of any size, and be empty', async () => {
    assert.deepEqual(await whole(open(gzipSync(TAR), { chunk: 7, diffId: DIFF_ID }).layer), TAR);
    assert.deepEqual(await whole(open(Buffer.alloc(0), { mediaType: MEDIA.ociLayer }).layer), Buffer.alloc(0));
  });

  it('of another digest is refused, however it unpacks', async () => {
    const digest = digestOf(Buffer.from('x'));
    await assert.rejects(whole(open(gzipSync(TAR), { descriptor: { digest } }).layer), { code: 'INVALID_DIGEST' });
    const broken = gzipSync(TAR).fill(0xaa, 100, 200);
    await assert.rejects(whole(open(broken, { descriptor: { digest } }).layer), { code: 'INVALID_DIGEST' });
  });

  it('of another size is refused: too long at once, too short at the end', async () => {
    const blob = gzipSync(TAR);
    const { layer, seen } = open(blob, { descriptor: { size: 100 }, chunk: 60 });
    await assert.rejects(whole(layer), { code: 'INVALID_SIZE' });
    assert.ok(seen.taken <= 120 && seen.closed);
    await assert.rejects(whole(open(blob, { descriptor: { size: blob.length + 1 } }).layer), { code: 'INVALID_SIZE' });
  });

  it('with another diff id is refused', async () => {
    await assert.rejects(whole(open(gzipSync(TAR), { diffId: digestOf(gzipSync(TAR)) }).layer), {
      code: 'INVALID_DIGEST',
    });
  });

  it('that is damaged by its publisher is malformed', async () => {
    const blob = gzipSync(TAR);
    blob.fill(0xaa, 100, 200);
    const { layer, seen } = open(blob, { chunk: 1000 });
    await assert.rejects(whole(layer), { code: 'COMPRESSION_MALFORMED' });
    assert.ok(seen.finished, 'the blob was read to its end, or nobody would know whose fault it is');
    await assert.rejects(whole(open(gzipSync(TAR).subarray(0, -9)).layer), { code: 'COMPRESSION_TRUNCATED' });
  });

  it('is counted with what lies behind its data', async () => {
    const blob = Buffer.concat([gzipSync(TAR), Buffer.alloc(10_000)]);
    const { layer, seen } = open(blob, { chunk: 1000, diffId: DIFF_ID });
    assert.deepEqual(await whole(layer), TAR);
    assert.ok(seen.finished);
    const cut = open(blob, { descriptor: { digest: digestOf(gzipSync(TAR)) } });
    await assert.rejects(whole(cut.layer), { code: 'INVALID_DIGEST' });
  });

  it('that is a bomb goes off at the limit, and the blob is not read on', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 2 ** 20));
    const { layer, seen } = open(bomb, { limit: 2 ** 20, chunk: 1000 });
    let size = 0;
    await assert.rejects(
      async () => {
        for await (const chunk of layer) size += chunk.length;
      },
      { code: 'TOO_LARGE' },
    );
    assert.ok(size <= 2 ** 20 && seen.closed && !seen.finished && seen.taken < bomb.length / 2);
  });

  it('that is no layer of files is refused before it is read', async () => {
    const { layer, seen } = open(gzipSync(TAR), { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' });
    await assert.rejects(whole(layer), { name: 'OciError', code: 'LAYER_UNSUPPORTED' });
    assert.equal(seen.taken, 0);
  });

  it('that is left early closes its blob', async () => {
    const { layer, seen } = open(gzipSync(TAR), { chunk: 10 });
    for await (const _ of layer) break;
    assert.ok(seen.closed && !seen.finished);
  });

  it('passes on what its blob throws', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield gzipSync(TAR).subarray(0, 50);
      throw new Error('reset');
    }
    const descriptor = { mediaType: MEDIA.ociLayerGzip, digest: DIFF_ID, size: 1000 };
    await assert.rejects(whole(openLayer(descriptor, failing(), { limit: 1e6, signal })), { message: 'reset' });
  });

  it('stops when it is told to, even while its blob says nothing', async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
      yield TAR;
    }
    const stop = new AbortController();
    const descriptor = { mediaType: MEDIA.ociLayer, digest: DIFF_ID, size: TAR.length };
    const work = whole(openLayer(descriptor, silent(), { limit: 1e6, signal: stop.signal }));
    setTimeout(() => stop.abort(new Error('enough')), 20);
    await assert.rejects(work, { message: 'enough' });
  });
});

describe('a packed layer', () => {
  it('is named by what was written, and by what went in', async () => {
    const { blob, digest, size, diffId, uncompressedSize } = await packed('gzip');
    assert.deepEqual(gunzipSync(blob), TAR);
    assert.deepEqual([digest, size, diffId, uncompressedSize], [digestOf(blob), blob.length, DIFF_ID, TAR.length]);
    assert.ok(size < TAR.length / 10);
  });

  it('is the same in every run, without time and name', async () => {
    const { blob } = await packed('gzip');
    assert.deepEqual(blob, (await packed('gzip')).blob);
    assert.equal(blob.subarray(0, 10).toString('hex'), '1f8b08000000000000ff');
  });

  it('is packed as tightly as asked', async () => {
    assert.ok((await packed('gzip', 9)).size <= (await packed('gzip', 1)).size);
  });

  it('may be the tar itself', async () => {
    const { blob, digest, diffId, size } = await packed('none');
    assert.deepEqual(blob, TAR);
    assert.deepEqual([digest, diffId, size], [DIFF_ID, DIFF_ID, TAR.length]);
  });

  it('is zstd only where Node has it', async () => {
    if ('createZstdCompress' in zlib) {
      const { blob, digest, diffId } = await packed('zstd');
      assert.deepEqual(await whole(open(blob, { mediaType: MEDIA.ociLayerZstd, diffId }).layer), TAR);
      assert.deepEqual([digest, diffId], [digestOf(blob), DIFF_ID]);
    } else {
      await assert.rejects(packed('zstd'), { name: 'OciError', code: 'LAYER_UNSUPPORTED' });
    }
  });

  it('is the same however its tar comes', async () => {
    const digests = new Set<string>();
    for (const chunk of [13, 512, 65536, 2 ** 18 - 1, 2 ** 18, 2 ** 18 + 1]) {
      const { diffId, digest } = await packLayer(source(TAR, chunk).bytes, 'gzip', () => undefined);
      assert.equal(diffId, DIFF_ID);
      digests.add(digest);
    }
    assert.deepEqual([...digests], [(await packed('gzip')).digest]);
  });

  it('waits for its sink', async () => {
    let [running, most] = [0, 0];
    await packLayer(
      source(Buffer.from(Array.from({ length: 1e6 }, (_, i) => (i * i * 7) >> 3))).bytes,
      'gzip',
      async () => {
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running--;
      },
    );
    assert.equal(most, 1);
  });

  it('passes on what its source and its sink throw', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield TAR;
      throw new Error('source');
    }
    for (const packing of ['gzip', 'none'] as const) {
      await assert.rejects(
        packLayer(failing(), packing, () => undefined),
        { message: 'source' },
      );
      const { bytes, seen } = source(TAR, 1000);
      const full = () => Promise.reject(new Error('sink'));
      await assert.rejects(packLayer(bytes, packing, full), { message: 'sink' });
      assert.ok(seen.closed);
    }
  });
});
