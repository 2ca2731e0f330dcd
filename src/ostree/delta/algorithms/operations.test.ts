import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { codeOf } from '../../../base/error.ts';
import { decodeOperations, encodeOperations, type ObjectKind, type Operation } from './operations.ts';

const MALFORMED = { code: 'DELTA_MALFORMED' };
const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constant('splice-metadata' as const), length: number, offset: number }),
  fc.record({ op: fc.constant('splice-content' as const), mode: number, xattrs: number, size: number, offset: number }),
  fc.record({ op: fc.constant('open' as const), mode: number, xattrs: number, size: number }),
  fc.record({ op: fc.constant('write' as const), length: number, offset: number }),
  fc.record({ op: fc.constant('set-source' as const), offset: number }),
  fc.record({ op: fc.constant('unset-source' as const) }),
  fc.record({ op: fc.constant('bspatch' as const), offset: number, length: number }),
  fc.record({ op: fc.constant('close' as const) }),
);

const kindsOf = (operations: readonly Operation[]): ObjectKind[] =>
  operations.flatMap(({ op }) =>
    op === 'splice-metadata' ? ['metadata'] : op === 'splice-content' || op === 'open' ? ['content'] : [],
  );
const decode = (bytes: Uint8Array, kinds: readonly ObjectKind[]): Operation[] => [
  ...decodeOperations(bytes, (i) => kinds[i]),
];

describe('the operations of a part', () => {
  it('come back as they went in', () => {
    fc.assert(
      fc.property(fc.array(operation), (operations) => {
        const decoded = decode(encodeOperations(operations), kindsOf(operations));
        assert.deepEqual(
          decoded,
          operations.map((o) => ({ ...o })),
        );
      }),
    );
  });

  it('have their arguments in the order of the reference', () => {
    const bytes = Buffer.from('S\x82\x01\x00S\x01\x02\x03\x04o\x05\x06\x07r\x08w\x09\x0aB\x0b\x0cRc', 'latin1');
    const operations: Operation[] = [
      { op: 'splice-metadata', length: 130, offset: 0 },
      { op: 'splice-content', mode: 1, xattrs: 2, size: 3, offset: 4 },
      { op: 'open', mode: 5, xattrs: 6, size: 7 },
      { op: 'set-source', offset: 8 },
      { op: 'write', length: 9, offset: 10 },
      { op: 'bspatch', offset: 11, length: 12 },
      { op: 'unset-source' },
      { op: 'close' },
    ];
    assert.deepEqual(decode(bytes, ['metadata', 'content', 'content']), operations);
    assert.deepEqual(Buffer.from(encodeOperations(operations)), bytes);
  });

  it('ask for the kind of an object by its number, counting opened ones too', () => {
    const asked: number[] = [];
    const bytes = Buffer.from('o\0\0\0cS\0\0o\0\0\0cS\0\0', 'latin1');
    const decoded = decodeOperations(bytes, (i) => {
      asked.push(i);
      return 'metadata';
    });
    assert.equal([...decoded].length, 6);
    assert.deepEqual(asked, [1, 3]);
  });

  it('are decoded no further than they are asked for', () => {
    const decoded = decodeOperations(Buffer.from('c?'), () => 'content');
    assert.deepEqual(decoded.next().value, { op: 'close' });
    assert.throws(() => decoded.next(), MALFORMED);
  });

  for (const [flaw, text] of [
    ['an unknown opcode', 'x'],
    ['an opcode of zero', '\0'],
    ['a missing argument', 'w\x01'],
    ['an argument that is cut off', 'r\x80'],
    ['more objects than the part lists', 'S\x01\x00S\x01\x00'],
  ] as const) {
    it(`with ${flaw} are malformed`, () => {
      assert.throws(() => decode(Buffer.from(text, 'latin1'), ['metadata']), MALFORMED);
    });
  }

  it('of any bytes are decoded or malformed, and never more of them than there are bytes', () => {
    const flipped = fc.tuple(
      fc.array(operation, { minLength: 1 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    );
    fc.assert(
      fc.property(flipped, ([operations, flips]) => {
        const bytes = encodeOperations(operations);
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        assertSafe(bytes);
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), assertSafe), { numRuns: 500 });
  });
});

function assertSafe(bytes: Uint8Array): void {
  let count = 0;
  try {
    for (const _ of decodeOperations(bytes, (i) => (i % 2 === 0 ? 'metadata' : 'content'))) count++;
  } catch (error) {
    assert.equal(codeOf(error), 'DELTA_MALFORMED');
  }
  assert.ok(count <= bytes.length);
}
