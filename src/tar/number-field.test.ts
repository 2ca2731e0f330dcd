import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeNumber, encodeOctal, fitsOctal } from './number-field.ts';

const decode = (field: string | Buffer): number | undefined => {
  const bytes = Buffer.from(field as string, 'latin1');
  return decodeNumber(Buffer.concat([Buffer.from('7'), bytes, Buffer.from('7')]), 1, bytes.length);
};

describe('a number field', () => {
  for (const [field, value] of [
    ['0000644\0', 0o644],
    ['0000644 ', 0o644],
    ['    644 ', 0o644],
    ['   644 \0', 0o644],
    ['77777777', 0o77777777],
    ['644\0\0\0\0\0', 0o644],
    ['644\0junk', 0o644],
    ['\0\0\0\0\0\0\0\0', 0],
    ['        ', 0],
    ['777777777777', 8 ** 12 - 1],
  ] as const) {
    it(`${JSON.stringify(field)} is ${value}`, () => assert.equal(decode(field), value));
  }

  for (const field of ['0000648\0', '-1', '0x1f', '6a', 'abc', '+7', '6.4', '\x7f']) {
    it(`${JSON.stringify(field)} is no number`, () => assert.equal(decode(field), undefined));
  }

  for (const [hex, value] of [
    ['8000000000000001', 1],
    ['80000000ffffffff', 2 ** 32 - 1],
    ['800000000000000200000000', 2 ** 33],
    ['80000000001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['ffffffffffffffff', -1],
    ['ffffffffffffffffffff0000', -65536],
    ['ffffffffffe0000000000001', Number.MIN_SAFE_INTEGER],
  ] as const) {
    it(`${hex} is ${value} in base 256`, () => assert.equal(decode(Buffer.from(hex, 'hex')), value));
  }

  for (const hex of [
    '800000000020000000000000',
    '800000008000000000000000',
    'ffffffff8000000000000000',
    'bfffffffffffffff',
  ]) {
    it(`${hex} is more than a number holds exactly`, () => assert.equal(decode(Buffer.from(hex, 'hex')), undefined));
  }

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 ** 11 - 1 }), (value) => {
        const block = Buffer.alloc(512, 0xff);
        encodeOctal(block, 124, 12, value);
        assert.equal(decodeNumber(block, 124, 12), value);
        assert.deepEqual([block[123], block[135], block[136]], [0xff, 0, 0xff]);
      }),
    );
  });

  it('has room for seven octal digits in eight bytes', () => {
    assert.deepEqual([fitsOctal(8 ** 7 - 1, 8), fitsOctal(8 ** 7, 8), fitsOctal(-1, 8)], [true, false, false]);
  });
});
