import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { codeOf } from '../../../base/error.ts';
import { bsdiff } from './bsdiff.ts';
import { bspatch, type OldSource } from './bspatch.ts';
import { decodeOffsetNumber, encodeOffsetNumber } from './offset-number.ts';

const MALFORMED = { code: 'DELTA_MALFORMED' };

/** A source that hands out at most `atOnce` bytes a time. */
function source(bytes: Uint8Array, atOnce = Number.POSITIVE_INFINITY): OldSource {
  return {
    size: bytes.length,
    read(offset, into) {
      assert.ok(
        offset >= 0 && offset < bytes.length && offset + into.length <= bytes.length,
        'asked for what is there',
      );
      const part = bytes.subarray(offset, offset + Math.min(into.length, atOnce));
      into.set(part);
      return part.length;
    },
  };
}

function apply(old: Uint8Array, patch: Uint8Array, size: number, atOnce?: number): Buffer {
  const chunks: Buffer[] = [];
  bspatch(source(old, atOnce), patch, size, (chunk) => chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

/** A step: its three numbers and its bytes. */
function step(x: number, y: number, z: number, bytes: readonly number[] = []): Uint8Array {
  const out = new Uint8Array(24 + bytes.length);
  [x, y, z].forEach((value, i) => {
    encodeOffsetNumber(value, out, 8 * i);
  });
  out.set(bytes, 24);
  return out;
}

const old = Uint8Array.of(10, 20, 30, 40, 250);

describe('applying a patch', () => {
  it('adds differences modulo 256, takes literals, and moves by both lengths', () => {
    const patch = Buffer.concat([step(2, 1, 2, [1, 2, 99]), step(1, 0, 0, [10])]);
    assert.deepEqual([...apply(old, patch, 4)], [11, 22, 99, 4]);
  });

  it('counts what is outside the old file as zero, in front and behind', () => {
    const patch = Buffer.concat([step(0, 0, -2), step(4, 0, 1, [5, 6, 0, 0]), step(4, 0, 0, [0, 0, 7, 8])]);
    assert.deepEqual([...apply(old, patch, 8)], [5, 6, 10, 20, 40, 250, 7, 8]);
  });

  it('works when the old file is empty, far away, or comes byte by byte', () => {
    assert.deepEqual([...apply(new Uint8Array(0), step(2, 0, 0, [1, 2]), 2)], [1, 2]);
    const far = Buffer.concat([step(0, 0, 2 ** 52), step(1, 0, -(2 ** 53 - 1), [3]), step(1, 0, 0, [4])]);
    assert.deepEqual([...apply(old, far, 2)], [3, 4]);
    assert.deepEqual([...apply(old, step(5, 0, 0, [0, 0, 0, 0, 0]), 5, 1)], [...old]);
  });

  it('writes nothing for an empty file and ignores what follows the last step', () => {
    assert.equal(apply(old, step(1, 0, 0, [1]), 0).length, 0);
    assert.deepEqual([...apply(old, Buffer.concat([step(1, 0, 0, [1]), step(1, 0, 0)]), 1)], [11]);
  });

  it('writes large files in chunks that are bounded', () => {
    const large = Uint8Array.from({ length: 900_000 }, (_, i) => i * 7);
    let [size, largest] = [0, 0];
    const patch = Buffer.concat([step(large.length, 0, 0), new Uint8Array(large.length)]);
    bspatch(source(large), patch, large.length, (chunk) => {
      assert.ok(Buffer.from(chunk).equals(large.subarray(size, size + chunk.length)));
      size += chunk.length;
      largest = Math.max(largest, chunk.length);
    });
    assert.equal(size, large.length);
    assert.ok(largest <= 256 * 1024);
  });

  for (const [flaw, patch] of [
    ['no steps', new Uint8Array(0)],
    ['a number that is cut off', step(1, 0, 0).subarray(0, 23)],
    ['a negative difference', step(-1, 5, 0, [1, 1, 1, 1])],
    ['a negative literal', step(5, -1, 0, [1, 1, 1, 1])],
    ['more differences than the file has bytes', step(5, 0, 0, [1, 1, 1, 1, 1])],
    ['more literals than the file has bytes', step(2, 3, 0, [1, 1, 1, 1, 1])],
    ['bytes that are cut off', step(2, 2, 0, [1, 1, 1])],
    ['too few bytes altogether', step(1, 2, 0, [1, 1, 1])],
    ['a length beyond every file', step(2 ** 53 - 1, 2 ** 53 - 1, 0)],
    ['a position that leaves the numbers', Buffer.concat([step(0, 0, 2 ** 53 - 1), step(0, 0, 2 ** 53 - 1)])],
    ['a number of 63 bits', Uint8Array.from(step(4, 0, 0, [1, 1, 1, 1]), (byte, i) => (i === 23 ? 0x7f : byte))],
  ] as const) {
    it(`with ${flaw} is refused`, () => {
      assert.throws(() => apply(old, patch, 4), MALFORMED);
    });
  }

  it('ends with steps of nothing when the patch ends', () => {
    assert.throws(() => apply(old, new Uint8Array(24 * 10_000), 4), MALFORMED);
  });

  it('is refused when the old file is shorter than its source says', () => {
    const short: OldSource = { size: 5, read: () => 0 };
    assert.throws(() => bspatch(short, step(4, 0, 0, [1, 1, 1, 1]), 4, () => undefined), MALFORMED);
  });

  it('that was damaged writes the right number of bytes or is refused', () => {
    const text = Buffer.from('the quick brown fox jumps over the lazy dog, again and again. '.repeat(8));
    const patch = bsdiff(text, Buffer.from(text.toString().replaceAll('fox', 'cat').replaceAll('again', 'once')));
    const size = apply(text, patch, text.length - 16).length;
    const flips = fc.array(fc.tuple(fc.nat(patch.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    let refused = 0;
    fc.assert(
      fc.property(flips, fc.nat(patch.length), (changes, cut) => {
        const damaged = patch.slice(0, cut % 3 === 0 ? cut : undefined);
        for (const [at, value] of changes) damaged[at] = value;
        try {
          assert.equal(apply(text, damaged, size).length, size);
        } catch (error) {
          assert.equal(codeOf(error), 'DELTA_MALFORMED', String(error));
          refused++;
        }
      }),
      { numRuns: 1000, seed: 9 },
    );
    assert.ok(refused > 100 && refused < 1000);
  });
});

describe('a number of a patch', () => {
  it('has its sign in the last bit and its magnitude in the others', () => {
    const bytes = new Uint8Array(8);
    encodeOffsetNumber(-2, bytes, 0);
    assert.deepEqual([...bytes], [2, 0, 0, 0, 0, 0, 0, 0x80]);
    assert.equal(decodeOffsetNumber(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80), 0), 0);
  });

  it('comes back as it went in', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = new Uint8Array(9);
        encodeOffsetNumber(value, bytes, 1);
        assert.equal(decodeOffsetNumber(bytes, 1), value);
      }),
    );
  });
});
