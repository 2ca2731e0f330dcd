import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { buildSuffixArray } from './suffix-array.ts';

/** By definition: all suffixes, compared as bytes. */
function slowly(text: Uint8Array): number[] {
  const suffix = (i: number): Uint8Array => text.subarray(i);
  return Array.from(text, (_, i) => i).sort((a, b) => Buffer.compare(suffix(a), suffix(b)));
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('a suffix array', () => {
  for (const text of ['', 'a', 'ab', 'ba', 'aa', 'banana', 'mississippi', 'cabbage', 'abababababab', 'bababababab']) {
    it(`of ${JSON.stringify(text)} is the order of its suffixes`, () => {
      assert.deepEqual([...buildSuffixArray(bytes(text))], slowly(bytes(text)));
    });
  }

  it('holds for texts of few letters, where most stretches are equal', () => {
    for (const letters of [1, 2, 3, 5]) {
      const text = fc.uint8Array({ maxLength: 300, max: letters });
      fc.assert(
        fc.property(text, (t) => assert.deepEqual([...buildSuffixArray(t)], slowly(t))),
        { numRuns: 300 },
      );
    }
  });

  it('holds for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (t) => assert.deepEqual([...buildSuffixArray(t)], slowly(t))),
    );
  });

  it('holds for repetitions with a period and for words of Fibonacci', () => {
    const unit = fc.uint8Array({ minLength: 1, maxLength: 12, max: 3 });
    fc.assert(
      fc.property(unit, fc.integer({ min: 1, max: 120 }), (u, times) => {
        const text = Buffer.concat(Array.from({ length: times }, () => u));
        assert.deepEqual([...buildSuffixArray(text)], slowly(text));
      }),
      { numRuns: 60 },
    );
    let [a, b] = ['a', 'ab'];
    while (b.length < 2000) [a, b] = [b, b + a];
    assert.deepEqual([...buildSuffixArray(bytes(b))], slowly(bytes(b)));
  });

  it('takes no longer for repetitions than for anything else', () => {
    const size = 2_000_000;
    const started = performance.now();
    const zeros = buildSuffixArray(new Uint8Array(size));
    assert.equal(zeros[0], size - 1);
    const alternating = buildSuffixArray(Uint8Array.from({ length: size }, (_, i) => i & 1));
    assert.equal(alternating[0], size - 2);
    assert.ok(performance.now() - started < 20_000);
  });
});
