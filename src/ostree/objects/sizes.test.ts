import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, bytes, string, variantOf } from '../../gvariant/index.ts';
import { decodeSizes, encodeSizes, type ObjectSize } from './sizes.ts';

const A = 'aa'.repeat(32);
const B = 'bb'.repeat(32);
const of = (...elements: readonly string[]) =>
  variantOf(
    array(bytes),
    elements.map((hex) => Buffer.from(hex, 'hex')),
  );

describe('ostree.sizes', () => {
  it('comes back as it went in, sorted by checksum', () => {
    const sizes: ObjectSize[] = [
      { checksum: B, type: 'dirtree', archived: 127, unpacked: 128 },
      { checksum: A, type: 'file', archived: 2 ** 32 + 5, unpacked: 0 },
    ];
    assert.deepEqual(decodeSizes(encodeSizes(sizes)), sizes.toReversed());
    assert.deepEqual(decodeSizes(encodeSizes([])), []);
  });
  it('is written as libostree writes it', () => {
    const size: ObjectSize = { checksum: A, type: 'file', archived: 65590, unpacked: 65536 };
    assert.deepEqual(encodeSizes([size]), of(`${A}b6800480800401`));
  });
  it('of old commits has no types: all are files', () => {
    assert.deepEqual(decodeSizes(of(`${A}0501`)), [{ checksum: A, type: 'file', archived: 5, unpacked: 1 }]);
  });
  it('is read without the elements that make no sense', () => {
    const flaws = ['', A, `${A}05`, `${A}0580`, `${A}050109`, `${A}05010100`, `${A}ffffffffffffffffff0101`, 'aa0501'];
    assert.deepEqual(decodeSizes(of(...flaws, `${B}010203`)), [
      { checksum: B, type: 'dirmeta', archived: 1, unpacked: 2 },
    ]);
    assert.equal(decodeSizes(variantOf(string, 'x')), undefined);
  });
});
