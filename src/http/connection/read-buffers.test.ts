import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createReadBuffers, plainSizes, TLS_SIZES } from './read-buffers.ts';

/** Reads of these lengths into the buffers, and the chunks that came out, while nobody takes any from the stream. */
function read(sizes: ReturnType<typeof plainSizes>, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const stream = {
    push: (chunk: Uint8Array) => chunks.push(chunk) > 0,
    get readableLength() {
      return chunks.reduce((sum, { length }) => sum + length, 0);
    },
  };
  const { buffer, callback } = createReadBuffers(sizes, () => stream);
  for (const [i, length] of lengths.entries()) {
    const target = typeof buffer === 'function' ? buffer() : buffer;
    assert.equal(target.length, sizes.read);
    target.fill(i, 0, length);
    callback(length, target);
  }
  return chunks;
}

describe('the read buffers of a connection', () => {
  it('hand a short chunk over as it is when nothing else waits', () => {
    const chunks: Uint8Array[] = [];
    const stream = { push: (chunk: Uint8Array) => chunks.push(chunk) > 0, readableLength: 0 };
    const { buffer, callback } = createReadBuffers(plainSizes(undefined), () => stream);
    for (const length of [10, 20]) {
      const target = typeof buffer === 'function' ? buffer() : buffer;
      callback(length, target);
      assert.deepEqual([chunks.at(-1)?.byteOffset, chunks.at(-1)?.length], [target.byteOffset, length]);
    }
    assert.notEqual(chunks[0]?.byteOffset, chunks[1]?.byteOffset); // whoever got the first may still have it
  });

  for (const [kind, sizes] of [
    ['plain', plainSizes(undefined)],
    ['TLS', TLS_SIZES],
    ['rate-limited', plainSizes(1_000_000)],
  ] as const) {
    it(`(${kind}) keep every chunk intact for as long as the stream may hold it`, () => {
      const shortest = Math.min(sizes.copyBelow, sizes.read);
      const held = Math.floor(sizes.highWaterMark / shortest);
      const lengths = [1, ...Array.from({ length: held + 2 }, () => shortest)]; // one in use, one lent
      for (const [i, chunk] of read(sizes, lengths).entries()) {
        assert.ok(chunk.length === lengths[i] && chunk.every((byte) => byte === i), `chunk ${i}`);
      }
    });

    it(`(${kind}) keep short chunks for ever`, () => {
      for (const [i, chunk] of read(
        sizes,
        Array.from({ length: 200 }, () => 100),
      ).entries()) {
        assert.ok(chunk.every((byte) => byte === i));
      }
    });
  }
});
