import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createReadBuffers, plainSizes, TLS_SIZES } from './read-buffers.ts';

/** Reads of these lengths into the buffers, and the chunks that came out. */
function read(sizes: ReturnType<typeof plainSizes>, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const { buffer, callback } = createReadBuffers(sizes, (chunk) => chunks.push(chunk) > 0);
  for (const [i, length] of lengths.entries()) {
    const target = typeof buffer === 'function' ? buffer() : buffer;
    assert.equal(target.length, sizes.read);
    target.fill(i, 0, length);
    callback(length, target);
  }
  return chunks;
}

describe('the read buffers of a connection', () => {
  for (const [kind, sizes] of [
    ['plain', plainSizes(undefined)],
    ['TLS', TLS_SIZES],
    ['rate-limited', plainSizes(1_000_000)],
  ] as const) {
    it(`(${kind}) keep every chunk intact for as long as the stream may hold it`, () => {
      const shortest = Math.min(sizes.copyBelow, sizes.read);
      const held = Math.floor(sizes.highWaterMark / shortest) + 1;
      const lengths = Array.from({ length: held + 2 }, () => shortest); // one in use, one lent
      for (const [i, chunk] of read(sizes, lengths).entries()) {
        assert.ok(chunk.length === shortest && chunk.every((byte) => byte === i), `chunk ${i}`);
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
