import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mean, median, medianDeviation, spread, standardDeviation } from './statistics.ts';

describe('measures of how numbers spread', () => {
  for (const [measure, values, expected] of [
    [mean, [1, 2, 6], 3],
    [standardDeviation, [2, 4, 4, 4, 5, 5, 7, 9], 2],
    [median, [9, 1, 5], 5],
    [median, [1, 2, 3, 10], 2.5],
    [medianDeviation, [1, 1, 2, 2, 4, 6, 9], 1],
    [medianDeviation, [5, 5, 5, 1000], 0],
  ] as const) {
    it(`${measure.name} of ${values.join(', ')} is ${expected}`, () => assert.equal(measure(values), expected));
  }

  for (const measure of [mean, standardDeviation, median, medianDeviation]) {
    it(`${measure.name} of nothing is 0`, () => assert.equal(measure([]), 0));
  }

  it('count the limits to what stands out', () => {
    const of = spread([1, 2, 3, 4, 5], (value) => value, { high: 5, low: 1 });
    assert.deepEqual(of, { high: [5], medium: [2, 3, 4], low: [1] });
  });
});
