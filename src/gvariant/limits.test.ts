import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { offsetWidth, readOffset, smallestWidth } from './framing.ts';
import {
  array,
  bytes,
  dictEntry,
  formatVariant,
  int32,
  objectPath,
  parseType,
  parseVariantText,
  string,
  tuple,
  uint32,
  uint64,
  type Variant,
  vardict,
  variant,
  variantOf,
} from './index.ts';

const MALFORMED = { name: 'GVariantError', code: 'GVARIANT_MALFORMED' };

describe('offsets', () => {
  it('are as wide as the container needs', () => {
    assert.deepEqual([0, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32].map(offsetWidth), [1, 1, 2, 2, 4, 4, 8]);
  });

  it('count into the size that decides about their width', () => {
    assert.deepEqual([smallestWidth(254, 1), smallestWidth(255, 1), smallestWidth(255, 0)], [1, 2, 1]);
    assert.deepEqual([smallestWidth(65533, 1), smallestWidth(65534, 1)], [2, 4]);
    assert.deepEqual([smallestWidth(2 ** 32 - 5, 1), smallestWidth(2 ** 32 - 4, 1)], [4, 8]);
  });

  it('of eight bytes are read whole', () => {
    assert.equal(readOffset(Buffer.from('0500000003000000', 'hex'), 0, 8), 5 + 3 * 2 ** 32);
  });

  for (const size of [253, 254, 255, 256, 65532, 65533, 65534, 65535, 65536]) {
    it(`of an array with ${size} bytes of elements come back`, () => {
      const value = ['x'.repeat(size - 1)];
      const encoded = array(string).encode(value);
      assert.equal(encoded.length - size, size < 255 ? 1 : size < 65534 ? 2 : 4);
      assert.deepEqual(array(string).decode(encoded), value);
    });
  }
});

describe('nesting', () => {
  const nested = (depth: number): Variant => {
    let held = variantOf(uint32, 1);
    for (let i = 1; i < depth; i++) {
      held = { signature: 'v', bytes: Buffer.concat([held.bytes, Buffer.from(`\0${held.signature}`)]) };
    }
    return held;
  };

  it('of 64 variants is read, of 65 refused', () => {
    const at = (depth: number) => Buffer.concat([nested(depth).bytes, Buffer.from(`\0${nested(depth).signature}`)]);
    assert.equal(variant.decode(at(64)).signature, 'v');
    assert.throws(() => variant.decode(at(65)), MALFORMED);
    assert.throws(() => variant.decode(at(20_000)), MALFORMED);
  });

  it('of 64 arrays is a type, of 65 none', () => {
    assert.equal(parseType(`${'a'.repeat(64)}y`).signature.length, 65);
    for (const text of ['a'.repeat(65), 'm'.repeat(65), '('.repeat(65), 'a'.repeat(1e6), '('.repeat(1e6)]) {
      assert.throws(() => parseType(`${text}y${text.startsWith('(') ? ')'.repeat(text.length) : ''}`), {
        code: 'GVARIANT_TYPE',
      });
    }
  });

  it('in text is limited, too', () => {
    assert.equal(parseVariantText(`${'['.repeat(60)}1${']'.repeat(60)}`).signature, `${'a'.repeat(60)}i`);
    for (const open of ['[', '<', '(', '{', 'just ', '@i ', 'byte ']) {
      assert.throws(() => parseVariantText(open.repeat(100_000)), { code: 'GVARIANT_TEXT' });
    }
  });
});

describe('a hostile size', () => {
  it('of millions of elements without content is refused before they fill the memory', () => {
    const empties = (count: number) => Buffer.alloc(4 * count); // offsets of 0, four bytes each
    assert.equal(array(bytes).decode(empties(100_000)).length, 100_000);
    assert.throws(() => array(bytes).decode(empties(2 ** 22 + 1)), MALFORMED);
    const pairs = array(tuple(bytes, bytes));
    const hundred = pairs.encode(Array.from({ length: 100 }, () => [Buffer.of(), Buffer.of()] as const));
    assert.equal(hundred.length, 200);
    const inside = (count: number) => array(bytes).encode(Array.from({ length: count }, () => hundred));
    assert.equal(array(pairs).decode(inside(10_000)).length, 10_000);
    assert.throws(() => array(pairs).decode(inside(50_000)), MALFORMED);
  });

  it('of an object path is no matter', () => {
    const path = '/a'.repeat(5_000_000);
    assert.equal(objectPath.decode(Buffer.from(`${path}\0`)), path);
    assert.throws(() => objectPath.decode(Buffer.from(`${path}/\0`)), MALFORMED);
  });

  it('of byte strings before a long text is written as text in time that grows with the bytes only', () => {
    const type = parseType(`(${'ay'.repeat(5000)}s)`);
    const held = variantOf(type, [...Array.from({ length: 5000 }, () => Buffer.of(1)), 'x'.repeat(30_000_000)]);
    const began = performance.now();
    assert.match(formatVariant(held), /^\(\[byte 0x01\], \[byte 0x01\], /);
    assert.ok(performance.now() - began < 8000);
  });
  it('that claims more elements than there are bytes is refused', () => {
    assert.throws(() => array(string).decode(Buffer.from('ff', 'hex')), MALFORMED);
    assert.throws(() => array(string).decode(Buffer.alloc(300, 0xff)), MALFORMED);
  });

  it('of many elements is read in time that grows with the bytes only', () => {
    const many = Array.from({ length: 50_000 }, (_, i): [string, Uint8Array] => [`name${i}`, Buffer.alloc(32, i)]);
    const type = array(tuple(string, bytes));
    const encoded = type.encode(many);
    const before = process.hrtime.bigint();
    assert.equal(type.decode(encoded).length, 50_000);
    assert.ok(process.hrtime.bigint() - before < 2_000_000_000n); // some 30 ms; quadratic would be minutes
  });

  it('of a type string is refused', () => {
    const held = Buffer.from(`\0(${'y'.repeat(70_000)})`);
    assert.throws(() => variant.decode(Buffer.concat([Buffer.alloc(70_000), held])), MALFORMED);
  });
});

describe('a type string', () => {
  for (const text of [
    '',
    'a',
    'm',
    'z',
    'yy',
    '(',
    ')',
    '(y',
    '{y}',
    '{vy}',
    '{sy',
    '{syy}',
    '{}',
    'a{(y)y}',
    '*',
    'r',
    '?',
    'a*',
    'y\0',
    'é',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.throws(() => parseType(text), { code: 'GVARIANT_TYPE' }));
  }

  it('gives a type that bears it', () => {
    for (const text of ['()', '{sv}', 'a{s(iu)}', 'mmay', '(a(say)a(sayay))'])
      assert.equal(parseType(text).signature, text);
  });

  it('gives alignment and size', () => {
    const traits = (text: string) => [parseType(text).alignment, parseType(text).fixedSize];
    assert.deepEqual(['()', '(yx)', '(xy)', '(yqy)', '(ys)', 'mi', 'a{sv}'].map(traits), [
      [1, 1],
      [8, 16],
      [8, 16],
      [2, 6],
      [1, undefined],
      [4, undefined],
      [8, undefined],
    ]);
  });

  it('of a dict entry begins with a basic type, which is held against programs, too', () => {
    assert.throws(() => dictEntry(bytes, string), TypeError);
  });
});

describe('a value that its type cannot hold', () => {
  const UNFIT = { name: 'GVariantError', code: 'GVARIANT_VALUE' };
  for (const [what, write] of [
    ['a NUL in a string', () => string.encode('a\0b')],
    ['half a surrogate pair in a string', () => string.encode('\ud800')],
    ['a number above the range', () => uint32.encode(2 ** 32)],
    ['a number below the range', () => int32.encode(-(2 ** 31) - 1)],
    ['a fraction', () => uint32.encode(1.5)],
    ['no number', () => uint32.encode(Number.NaN)],
    ['a large number above the range', () => uint64.encode(2n ** 64n)],
    ['a bad object path', () => objectPath.encode('/a/')],
    ['a variant with bytes of another type', () => variant.encode({ signature: 's', bytes: Buffer.from('a') })],
    ['a variant of the wrong size', () => variant.encode({ signature: 'u', bytes: Buffer.alloc(3) })],
    ['a variant without a type', () => vardict.encode([['a', { signature: '', bytes: Buffer.alloc(0) }]])],
  ] as const) {
    it(`is refused: ${what}`, () => assert.throws(write, UNFIT));
  }

  it('is refused: a tuple with too few members, from where types do not reach', () => {
    assert.throws(() => parseType('(uu)').encode([1]), UNFIT);
  });

  it('cannot be printed when it is a variant that was made up', () => {
    assert.throws(() => formatVariant({ signature: 's', bytes: Buffer.from('a') }), MALFORMED);
    assert.throws(() => formatVariant({ signature: 'z', bytes: Buffer.from('a') }), { code: 'GVARIANT_TYPE' });
  });
});
