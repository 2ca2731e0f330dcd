import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  array,
  boolean,
  byte,
  bytes,
  dictEntry,
  double,
  formatVariant,
  handle,
  int16,
  int32,
  int64,
  maybe,
  objectPath,
  openVariant,
  parseType,
  parseVariantText,
  signature,
  string,
  type Type,
  tuple,
  uint16,
  uint32,
  uint32be,
  uint64,
  uint64be,
  variant,
  variantOf,
} from './index.ts';

/** A type with one of its values. */
interface Sample {
  readonly type: Type<unknown>;
  readonly value: unknown;
}
/** A type with a source of its values. */
interface Source {
  readonly type: Type<unknown>;
  readonly values: fc.Arbitrary<unknown>;
}

const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'));
const int = (min: number, max: number) => fc.integer({ min, max });
const bigint = (min: bigint, max: bigint) => fc.bigInt({ min, max });
const path = fc.array(fc.stringMatching(/^[A-Za-z0-9_]+$/)).map((parts) => `/${parts.join('/')}`);

const BASICS: readonly Source[] = [
  { type: byte, values: int(0, 255) },
  { type: boolean, values: fc.boolean() },
  { type: int16, values: int(-0x8000, 0x7fff) },
  { type: uint16, values: int(0, 0xffff) },
  { type: int32, values: int(-0x8000_0000, 0x7fff_ffff) },
  { type: uint32, values: int(0, 0xffff_ffff) },
  { type: handle, values: int(-0x8000_0000, 0x7fff_ffff) },
  { type: int64, values: bigint(-(2n ** 63n), 2n ** 63n - 1n) },
  { type: uint64, values: bigint(0n, 2n ** 64n - 1n) },
  { type: double, values: fc.double({ noNaN: true }) },
  { type: string, values: text },
  { type: objectPath, values: path },
  { type: signature, values: fc.constantFrom('', 'a{sv}', 'sas(ii)', 'v') },
  { type: uint32be, values: int(0, 0xffff_ffff) },
  { type: uint64be, values: bigint(0n, 2n ** 64n - 1n) },
];
const heldText = text.map((value) => variantOf(string, value));
const heldNumbers = fc.array(int(0, 0xffff)).map((value) => variantOf(array(uint16), value));
const SIMPLE: readonly Source[] = [
  ...BASICS,
  { type: bytes, values: fc.uint8Array().map((value) => Buffer.from(value)) },
  { type: variant, values: fc.oneof(heldText, heldNumbers).map((v) => ({ ...v, bytes: Buffer.from(v.bytes) })) },
];

const { source } = fc.letrec<{ source: Source }>((tie) => ({
  source: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...SIMPLE),
    tie('source').map(({ type, values }) => ({ type: array(type), values: fc.array(values, { maxLength: 6 }) })),
    tie('source').map(({ type, values }) => ({
      type: maybe(type),
      values: fc.option(
        values.map((just) => ({ just })),
        { nil: undefined },
      ),
    })),
    fc.array(tie('source'), { maxLength: 5 }).map((members) => ({
      type: tuple(...members.map(({ type }) => type)),
      values: fc.tuple(...members.map(({ values }) => values)),
    })),
    fc.tuple(fc.constantFrom(...BASICS), tie('source')).map(([key, value]) => ({
      type: array(dictEntry(key.type, value.type)),
      values: fc.array(fc.tuple(key.values, value.values), { maxLength: 4 }),
    })),
  ),
}));
const sample: fc.Arbitrary<Sample> = source.chain(({ type, values }) => values.map((value) => ({ type, value })));

/** Some bytes changed, put in or left out. */
const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.oneof(int(0, 9), int(0, 255)), kind: int(0, 2) }), {
  minLength: 1,
  maxLength: 3,
});
function damaged(whole: Uint8Array, changes: readonly { at: number; byte: number; kind: number }[]): Uint8Array {
  const list = [...whole];
  for (const { at, byte: value, kind } of changes) {
    const inserted = kind === 1 ? [] : [value];
    list.splice(at % (list.length + 1), kind === 2 ? 0 : 1, ...inserted);
  }
  return Buffer.from(list);
}

describe('any value of any type', () => {
  it('comes back as it went in', () => {
    fc.assert(fc.property(sample, ({ type, value }) => assert.deepEqual(type.decode(type.encode(value)), value)));
  });

  it('can be held by a variant, and taken out of it again', () => {
    fc.assert(
      fc.property(sample, ({ type, value }) => {
        const held = variant.decode(variant.encode(variantOf(type, value)));
        assert.equal(held.signature, type.signature);
        assert.deepEqual(openVariant(held, type), value);
      }),
    );
  });

  it('has a text form that gives the same bytes', () => {
    fc.assert(
      fc.property(sample, ({ type, value }) => {
        const held = variantOf(type, value);
        fc.pre(!formatVariant(held).includes('nan')); // a big-endian number is none in the text
        const back = parseVariantText(formatVariant(held));
        assert.equal(back.signature, held.signature);
        assert.deepEqual(Buffer.from(back.bytes), held.bytes);
      }),
    );
  });

  it('that was damaged is refused, or is the normal form of another value', () => {
    let refused = 0;
    fc.assert(
      fc.property(sample, damage, ({ type, value }, changes) => {
        const found = damaged(type.encode(value), changes);
        let read: unknown;
        try {
          read = type.decode(found);
        } catch (error) {
          refused++;
          assert.equal((error as { code?: unknown }).code, 'GVARIANT_MALFORMED');
          return;
        }
        if (!/d/.test(type.signature)) assert.deepEqual(type.encode(read), found); // NaNs may change their bits
      }),
      { numRuns: 1000 },
    );
    assert.ok(refused > 100, `${refused} refused`);
  });
});

describe('any bytes', () => {
  const signatures = fc.constantFrom('as', 'aay', '(ss)', 'a{sv}', 'v', 'av', '(ayay)', 'mms', 'a(say)', 'ab', '(bay)');

  it('are refused, or are the normal form of a value', () => {
    fc.assert(
      fc.property(signatures, fc.array(fc.oneof(int(0, 8), fc.constant(0), int(0, 255))), (code, list) => {
        const type = parseType(code);
        const found = Buffer.from(list);
        let read: unknown;
        try {
          read = type.decode(found);
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'GVARIANT_MALFORMED');
          return;
        }
        assert.deepEqual(type.encode(read), found);
      }),
      { numRuns: 1000 },
    );
  });

  it('as text are read or refused', () => {
    const tokens = [
      '[',
      ']',
      '(',
      ')',
      '{',
      '}',
      '<',
      '>',
      ',',
      ':',
      '@ai ',
      '@a{sv} ',
      "'a'",
      '1',
      '2.5',
      'just ',
      ' ',
    ];
    const words = fc.array(fc.oneof(fc.constantFrom(...tokens, 'nothing', 'byte ', "b'x'", 'true', '\\'), fc.string()));
    fc.assert(
      fc.property(words, (list) => {
        try {
          formatVariant(parseVariantText(list.join('')));
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, 'GVARIANT_TEXT');
        }
      }),
      { numRuns: 1000 },
    );
  });
});
