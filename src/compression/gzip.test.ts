import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync, inflateRawSync } from 'node:zlib';
import { needs } from '../../test/support/needs.ts';
import { compressGzip, gunzip } from './gzip.ts';
import { filter, gzip, pieces, sample, source, whole } from './streams.fixture.ts';

describe('writing gzip', () => {
  const content = sample(500_000);

  it('has a header without name, time and system', async () => {
    for (const level of [0, 1, 6, 9]) {
      const bytes = await whole(compressGzip(pieces(content), level));
      assert.equal(bytes.toString('hex', 0, 8), '1f8b080000000000');
      assert.equal(bytes[9], 255);
      assert.ok(gunzipSync(bytes).equals(content));
    }
  });

  it('gives the same bytes however the content arrives', async () => {
    for (const level of [1, 6, 9]) {
      const [a, b] = [1000, 10 ** 7].map((size) => whole(compressGzip(pieces(content, size), level)));
      assert.ok((await a)?.equals((await b) ?? content));
    }
  });

  it('is one member however many pieces were packed side by side, and hardly larger for it', async () => {
    const large = Buffer.concat(Array.from({ length: 12 }, (_, i) => sample(200_000 + i)));
    for (const size of [2 ** 19 - 1, 2 ** 19, 2 ** 19 + 1, large.length]) {
      const part = large.subarray(0, size);
      const bytes = await whole(compressGzip(pieces(part, 70_000)));
      assert.ok(gunzipSync(bytes).equals(part));
      assert.ok(inflateRawSync(bytes.subarray(10, -8)).equals(part), 'no second member');
      assert.ok(bytes.length < gzipSync(part).length * 1.01);
    }
  });

  it('waits for its threads before the failure of its source is told', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(3_000_000);
      throw new Error('source');
    }
    await assert.rejects(whole(compressGzip(failing())), { message: 'source' });
  });

  it('of nothing is a whole member', async () => {
    assert.equal(gunzipSync(await gzip(new Uint8Array())).length, 0);
  });

  it('is read by gzip', { skip: needs('gzip') }, async () => {
    assert.ok(filter('gzip', ['-dc'], await gzip(content)).equals(content));
  });

  it('closes its source when the consumer leaves early', async () => {
    const { seen, bytes } = source(content, 1000);
    for await (const chunk of compressGzip(bytes)) {
      assert.ok(chunk.length > 0);
      break;
    }
    assert.equal(seen.closed, true);
  });
});

describe('reading gzip', () => {
  it('takes zero bytes after the last member for padding, as gzip does', async () => {
    const one = await gzip(sample(100));
    for (const size of [1, one.length, 10_000]) {
      const { seen, bytes } = source(Buffer.concat([one, Buffer.alloc(2000)]), size);
      assert.ok(sample(100).equals(await whole(gunzip(bytes))));
      assert.equal(seen.finished, true);
    }
  });

  it('reads what gzip writes, with a name in the header', { skip: needs('gzip') }, async () => {
    const bytes = filter('gzip', ['-c', '-9'], sample(100_000));
    assert.ok(sample(100_000).equals(await whole(gunzip(pieces(bytes)))));
  });
});
