import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ByteBuilder } from './byte-builder.ts';
import { appendVarint, readVarint } from './varint.ts';

const MALFORMED = { code: 'DELTA_MALFORMED' };
const encode = (value: number): number[] => {
  const out: number[] = [];
  appendVarint(out, value);
  return out;
};

describe('a number of a delta', () => {
  for (const [value, bytes] of [
    [0, [0x00]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    [300, [0xac, 0x02]],
    [2 ** 31, [0x80, 0x80, 0x80, 0x80, 0x08]],
    [Number.MAX_SAFE_INTEGER, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ] as const) {
    it(`${value} takes ${bytes.length} bytes, the low group first`, () => {
      assert.deepEqual(encode(value), bytes);
      assert.deepEqual(readVarint(Uint8Array.of(9, ...bytes, 9), 1), { value, next: 1 + bytes.length });
    });
  }

  it('comes back as it went in', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => assert.equal(readVarint(Uint8Array.from(encode(value)), 0).value, value)),
    );
  });

  it('can be appended to a builder that has to grow', () => {
    const out = new ByteBuilder();
    for (let i = 0; i < 1000; i++) appendVarint(out, 300);
    out.append(new Uint8Array(5000).fill(7));
    assert.deepEqual([out.length, ...out.toBytes().subarray(1998, 2002)], [7000, 0xac, 0x02, 7, 7]);
  });

  for (const [flaw, bytes] of [
    ['no byte', []],
    ['a last byte that promises more', [0x80]],
    ['one more than a double can hold exactly', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ['64 bits all set', [...new Array<number>(9).fill(0xff), 0x01]],
    ['eleven bytes', [...new Array<number>(10).fill(0x80), 0x01]],
    ['a group too many', [0x85, 0x00]],
  ] as const) {
    it(`with ${flaw} is malformed`, () => {
      assert.throws(() => readVarint(Uint8Array.from(bytes), 0), MALFORMED);
    });
  }

  it('is never negative or a fraction', () => {
    for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) assert.throws(() => encode(value), RangeError);
  });
});
