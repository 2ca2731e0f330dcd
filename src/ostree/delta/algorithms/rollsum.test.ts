import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { crc32, crc32WithTable } from './crc32.ts';
import { matchChunks, splitChunks } from './rollsum.ts';

function noise(size: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: size }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
}

function rebuild(old: Uint8Array, changed: Uint8Array): Buffer {
  return Buffer.concat(
    matchChunks(old, changed).segments.map((segment) =>
      segment.kind === 'copy'
        ? old.subarray(segment.oldOffset, segment.oldOffset + segment.length)
        : changed.subarray(segment.newOffset, segment.newOffset + segment.length),
    ),
  );
}

const lengths = (bytes: Uint8Array): number[] => splitChunks(bytes).map(({ length }) => length);
const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

describe('chunks', () => {
  it('cover the file without gaps, each with its checksum and none above 32 KiB', () => {
    const bytes = noise(300_000, 4);
    let at = 0;
    for (const chunk of splitChunks(bytes)) {
      assert.equal(chunk.offset, at);
      assert.ok(chunk.length > 0 && chunk.length <= 32768);
      assert.equal(chunk.crc32, crc32(bytes.subarray(at, at + chunk.length)));
      at += chunk.length;
    }
    assert.equal(at, bytes.length);
    assert.deepEqual(splitChunks(new Uint8Array(0)), []);
  });

  it('of what has no border in it are 32 KiB each', () => {
    assert.deepEqual(lengths(new Uint8Array(70_000)), [32768, 32768, 4464]);
  });

  it('have 8 KiB on the average, and borders that come back after something is put in front', () => {
    const bytes = noise(500_000, 7);
    assert.ok(splitChunks(bytes).length > 40 && splitChunks(bytes).length < 90);
    const [before, after] = [lengths(bytes), lengths(concat(noise(333, 9), bytes))];
    assert.deepEqual(after.slice(-30), before.slice(-30));
  });
});

describe('the chunks that two files share', () => {
  it('rebuild the new file', () => {
    const piece = fc.tuple(fc.constantFrom(1, 2, 3), fc.nat(40_000), fc.nat(20_000));
    const recipe = fc.array(piece, { maxLength: 6 });
    const make = (pieces: readonly (readonly [number, number, number])[]): Uint8Array =>
      concat(...pieces.map(([seed, from, length]) => noise(60_000, seed).subarray(from, from + length)));
    fc.assert(
      fc.property(recipe, recipe, (a, b) => {
        const [old, changed] = [make(a), make(b)];
        assert.ok(rebuild(old, changed).equals(changed));
      }),
      { numRuns: 40 },
    );
  });

  it('of equal files are one copy', () => {
    const bytes = noise(100_000, 2);
    assert.deepEqual(matchChunks(bytes, bytes), {
      matchedBytes: bytes.length,
      matchRatio: 1,
      segments: [{ kind: 'copy', oldOffset: 0, length: bytes.length }],
    });
  });

  it('of a file with bytes put in are two copies around exactly these bytes', () => {
    const bytes = noise(100_000, 2);
    const { segments, matchRatio, matchedBytes } = matchChunks(
      bytes,
      concat(bytes.subarray(0, 50_000), new Uint8Array(500), bytes.subarray(50_000)),
    );
    assert.deepEqual(segments, [
      { kind: 'copy', oldOffset: 0, length: 50_000 },
      { kind: 'literal', newOffset: 50_000, length: 500 },
      { kind: 'copy', oldOffset: 50_000, length: 50_000 },
    ]);
    assert.ok(matchRatio > 0.5 && matchRatio < 1);
    assert.equal(matchedBytes, 100_000);
  });

  it('of long zeros run on in the old file instead of starting again and again', () => {
    const { segments } = matchChunks(new Uint8Array(400_000), new Uint8Array(300_000));
    assert.deepEqual(segments, [{ kind: 'copy', oldOffset: 0, length: 300_000 }]);
  });

  it('of files that have nothing in common are none: all is literal', () => {
    const { segments, matchRatio } = matchChunks(noise(50_000, 1), noise(50_001, 2));
    assert.deepEqual(segments, [{ kind: 'literal', newOffset: 0, length: 50_001 }]);
    assert.equal(matchRatio, 0);
  });

  it('of empty files are none', () => {
    assert.deepEqual(matchChunks(noise(9, 1), new Uint8Array(0)), { matchedBytes: 0, matchRatio: 0, segments: [] });
    assert.equal(matchChunks(new Uint8Array(0), noise(9, 1)).matchedBytes, 0);
  });

  it('are compared in full when their checksums are equal', () => {
    // two texts of one length whose CRC-32 is the same
    const [a, b] = [Buffer.from('plumless'), Buffer.from('buckeroo')];
    assert.equal(crc32(a), crc32(b));
    assert.deepEqual(matchChunks(a, b).segments, [{ kind: 'literal', newOffset: 0, length: 8 }]);
  });
});

describe('CRC-32', () => {
  it('is the one of zlib, with and without the help of Node', () => {
    assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.equal(crc32WithTable(bytes), crc32(bytes))));
    assert.equal(crc32WithTable(Buffer.from('123456789')), 0xcbf43926);
  });
});
