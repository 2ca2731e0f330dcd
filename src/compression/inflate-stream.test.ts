import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateRaw } from './deflate.ts';
import { inflateRawStream } from './inflate-stream.ts';
import { pieces, sample, source, whole } from './streams.fixture.ts';

describe('a raw deflate stream', () => {
  const content = sample(700_000);
  const compressed = deflateRaw(content, 6);

  for (const size of [997, 65536, 10 ** 7]) {
    it(`in chunks of ${size} bytes gives its content`, async () => {
      assert.ok(content.equals(await whole(inflateRawStream(pieces(compressed, size), content.length))));
    });
  }

  it('of one byte more or less than the size is malformed', async () => {
    for (const size of [0, content.length - 1, content.length + 1]) {
      await assert.rejects(whole(inflateRawStream(pieces(compressed), size)), { code: 'COMPRESSION_MALFORMED' });
    }
  });

  it('that is much larger than the size is refused long before its end', async () => {
    const { seen, bytes } = source(deflateRaw(Buffer.alloc(300 * 2 ** 20), 1), 4096);
    await assert.rejects(whole(inflateRawStream(bytes, 1000)), { code: 'COMPRESSION_MALFORMED' });
    assert.deepEqual([seen.closed, seen.taken], [true, 4096]);
  });

  it('is truncated wherever it is cut off', async () => {
    const short = deflateRaw(content.subarray(0, 200), 6);
    for (let n = 0; n < short.length; n++) {
      await assert.rejects(
        whole(inflateRawStream(pieces(short.subarray(0, n)), 200)),
        { code: 'COMPRESSION_TRUNCATED' },
        `${n}`,
      );
    }
  });

  it('of nothing gives nothing', async () => {
    assert.equal((await whole(inflateRawStream(pieces(Buffer.from('0300', 'hex')), 0))).length, 0);
  });

  it('is read to the end of its source, and what follows it is ignored', async () => {
    const { seen, bytes } = source(Buffer.concat([compressed, Buffer.alloc(200_000, 1)]), 5000);
    assert.ok(content.equals(await whole(inflateRawStream(bytes, content.length))));
    assert.equal(seen.finished, true);
  });
});
