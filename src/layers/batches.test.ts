import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { batchesOf } from './batches.ts';

const sizes = (...all: readonly number[]): number[][] =>
  batchesOf(
    all.map((size) => ({ descriptor: { size } })),
    10,
  ).map((batch) => batch.map(({ descriptor }) => descriptor.size));

describe('layers that share a transaction', () => {
  it('are as many, in their order, as do not exceed the limit', () => {
    assert.deepEqual(sizes(3, 3, 4, 1, 9, 1), [[3, 3, 4], [1, 9], [1]]);
  });
  it('are alone when they are larger than that', () => {
    assert.deepEqual(sizes(1, 11, 12, 2, 3), [[1], [11], [12], [2, 3]]);
  });
  it('are none where there are none', () => {
    assert.deepEqual(sizes(), []);
  });
});
