import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, bytes, variantOf } from '../../gvariant/index.ts';
import { sizesOf, totalOf } from './commit-sizes.ts';

const SUM = 'ab'.repeat(32);
const NAME = Buffer.from(SUM, 'hex');

function sizes(...entries: readonly (readonly number[])[]) {
  const packed = entries.map((rest) => Buffer.concat([NAME, Buffer.from(rest)]));
  const commit = { metadata: [['ostree.sizes', variantOf(array(bytes), packed)]] };
  return sizesOf(commit as unknown as Parameters<typeof sizesOf>[0]);
}

describe('the sizes in a commit', () => {
  it('are two numbers and a type, a file when there is none', () => {
    assert.deepEqual(sizes([0x25, 0x81, 0x02, 0x02], [0x01, 0x00]), [
      { checksum: SUM, type: 'dirtree', archived: 0x25, unpacked: 257 },
      { checksum: SUM, type: 'file', archived: 1, unpacked: 0 },
    ]);
  });
  it('are left out where they do not parse', () => {
    assert.deepEqual(sizes([], [0x80], [1], [1, 0x80, 0x80], [1, 1, 9], Array(20).fill(0xff)), []);
  });
  it('add up', () => {
    const all = sizes([10, 20, 1], [1, 2, 3]) ?? [];
    assert.deepEqual(totalOf(all), { objects: 2, archived: 11, unpacked: 22 });
  });
  it('are unknown without the metadata', () => {
    assert.equal(sizesOf({ metadata: [] } as unknown as Parameters<typeof sizesOf>[0]), undefined);
  });
});
