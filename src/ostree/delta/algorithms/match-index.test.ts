import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { GRAM, MatchIndex } from './match-index.ts';

/** By definition: every place tried. */
function longest(old: Uint8Array, bytes: Uint8Array, start: number): number {
  let best = 0;
  for (let from = 0; from < old.length; from++) {
    let length = 0;
    while (
      from + length < old.length &&
      start + length < bytes.length &&
      old[from + length] === bytes[start + length]
    ) {
      length++;
    }
    best = Math.max(best, length);
  }
  return best;
}

describe('the index of an old file', () => {
  it('finds the longest match of at least two bytes, and where it is', () => {
    const [few, any] = [3, 255].map((max) => fc.uint8Array({ minLength: 2, maxLength: 200, max, size: 'max' }));
    const pair = fc.oneof(
      fc.tuple(few ?? fc.uint8Array(), few ?? fc.uint8Array()),
      fc.tuple(any ?? fc.uint8Array(), any ?? fc.uint8Array()),
    );
    fc.assert(
      fc.property(pair, fc.nat(), ([old, bytes], at) => {
        const start = at % (bytes.length - 1);
        const index = new MatchIndex(old);
        index.find(bytes, start);
        const expected = longest(old, bytes, start);
        assert.equal(index.length, expected < 2 ? 0 : expected);
        const found = old.subarray(index.position, index.position + index.length);
        assert.deepEqual([...found], [...bytes.subarray(start, start + index.length)]);
      }),
      { numRuns: 500 },
    );
  });

  it('never denies eight bytes that the old file has, and denies nearly all others', () => {
    const old = Uint8Array.from({ length: 20_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 23);
    const index = new MatchIndex(old);
    for (let at = 0; at + GRAM <= old.length; at++) assert.ok(index.mayContain(old, at));
    const other = Uint8Array.from({ length: 20_000 }, (_, i) => Math.imul(i + 7, 0x85ebca6b) >>> 21);
    let claimed = 0;
    for (let at = 0; at + GRAM <= other.length; at++) if (index.mayContain(other, at)) claimed++;
    assert.ok(claimed < other.length / 3, String(claimed));
  });
});
