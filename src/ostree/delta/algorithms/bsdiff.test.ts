import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { bsdiff, bsdiffMemory } from './bsdiff.ts';
import { bspatch } from './bspatch.ts';

function apply(old: Uint8Array, patch: Uint8Array, size: number): Buffer {
  const chunks: Buffer[] = [];
  const read = (offset: number, into: Uint8Array): number => {
    into.set(old.subarray(offset, offset + into.length));
    return into.length;
  };
  bspatch({ size: old.length, read }, patch, size, (chunk) => chunks.push(Buffer.from(chunk)));
  return Buffer.concat(chunks);
}

function assertRebuilt(old: Uint8Array, changed: Uint8Array): Uint8Array {
  const patch = bsdiff(old, changed);
  assert.ok(apply(old, patch, changed.length).equals(changed));
  return patch;
}

/** Bytes that look random and are the same every time. */
function noise(size: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: size }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  });
}

const packed = (patch: Uint8Array): number => deflateRawSync(patch).length;
const concat = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

describe('a patch', () => {
  it('rebuilds any bytes from any others', () => {
    const bytes = fc.uint8Array({ maxLength: 2000, size: 'max' });
    fc.assert(fc.property(bytes, bytes, (a, b) => void assertRebuilt(a, b)));
  });

  it('rebuilds repetitions from repetitions', () => {
    const bytes = fc.uint8Array({ maxLength: 1500, max: 2, size: 'max' });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => void assertRebuilt(a, b)),
      { numRuns: 200 },
    );
  });

  it('rebuilds a file after edits: bytes changed, put in, taken out and moved', () => {
    const edit = fc.tuple(
      fc.constantFrom('change', 'insert', 'delete', 'move'),
      fc.nat(5999),
      fc.integer({ min: 1, max: 300 }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.array(edit, { maxLength: 12 }), (seed, edits) => {
        const old = noise(6000, seed);
        let changed = Buffer.from(old);
        for (const [kind, at, length] of edits) changed = edited(changed, kind, at, length);
        assertRebuilt(old, changed);
      }),
    );
  });

  for (const [what, old, changed] of [
    ['nothing from nothing', '', ''],
    ['nothing from something', 'abc', ''],
    ['something from nothing', '', 'abc'],
    ['a byte from a byte', 'a', 'b'],
    ['a file from itself', 'abcdefghijklmnopqrstuvwxyz', 'abcdefghijklmnopqrstuvwxyz'],
    ['the end of a file', 'abcdefghijklmnopqrstuvwxyz', 'nopqrstuvwxyz'],
    ['its two halves in turn', 'abcdefghijklmnopqrstuvwxyz', 'nopqrstuvwxyzabcdefghijklm'],
  ] as const) {
    it(`rebuilds ${what}`, () => void assertRebuilt(Buffer.from(old), Buffer.from(changed)));
  }

  it('of an empty file is empty, and of an equal one a single step of zeros', () => {
    assert.equal(bsdiff(noise(100, 1), new Uint8Array(0)).length, 0);
    const patch = bsdiff(noise(5000, 1), noise(5000, 1));
    assert.equal(patch.length, 24 + 5000);
    assert.ok(patch.subarray(24).every((byte) => byte === 0));
  });

  it('of a file with blocks moved and some bytes changed packs into a small part of it', () => {
    const old = noise(200_000, 3);
    const changed = concat(old.subarray(90_000), noise(100, 8), old.subarray(0, 90_000));
    for (let i = 50; i < changed.length; i += 4001) changed[i] = (changed[i] ?? 0) + 1;
    assert.ok(packed(assertRebuilt(old, changed)) < 2000);
  });

  it('of code in which all addresses have moved packs into a small part of it', () => {
    const old = noise(120_000, 5);
    const changed = concat(old.subarray(0, 40_000), noise(16, 6), old.subarray(40_000));
    for (let i = 0; i + 4 < changed.length; i += 24) changed[i] = (changed[i] ?? 0) + 16;
    assert.ok(packed(assertRebuilt(old, changed)) < 20_000);
  });

  it('of the same files is the same every time', () => {
    const [old, changed] = [noise(30_000, 1), concat(noise(10_000, 1), noise(3000, 2), noise(30_000, 1))];
    assert.deepEqual(bsdiff(old, changed), bsdiff(old, changed));
  });

  it('takes no longer for long repetitions', () => {
    const size = 1_000_000;
    const started = performance.now();
    const [zeros, marked] = [new Uint8Array(size), new Uint8Array(size + 777)];
    for (let i = 500; i < size; i += 1013) marked[i] = 1;
    assertRebuilt(zeros, marked);
    assertRebuilt(marked, zeros);
    const [period, shifted] = [
      Uint8Array.from({ length: size }, (_, i) => i % 1000),
      Uint8Array.from({ length: size }, (_, i) => (i % 50_000 === 7 ? 0 : (i + 13) % 1000)),
    ];
    assertRebuilt(period, shifted);
    assert.ok(performance.now() - started < 30_000);
  });

  it('is made in the memory that was foretold: five bytes for a byte of the old file, and the files', () => {
    const [old, changed] = [30_000_000, 20_000_000];
    const memory = bsdiffMemory(old, changed);
    assert.ok(memory >= 5 * old + 2.5 * changed && memory <= 6 * old + 2.5 * changed, String(memory));
    assert.ok(bsdiffMemory(0, 0) < 1_000_000);
  });
});

function edited(bytes: Buffer, kind: string, where: number, length: number): Buffer<ArrayBuffer> {
  const at = Math.min(where, bytes.length);
  const [front, back] = [bytes.subarray(0, at), bytes.subarray(at)];
  if (kind === 'insert') return Buffer.concat([front, noise(length, where + 1), back]);
  if (kind === 'delete') return Buffer.concat([front, back.subarray(length)]);
  if (kind === 'move') return Buffer.concat([back.subarray(0, length), front, back.subarray(length)]);
  return Buffer.concat([front, back.subarray(0, length).map((byte) => byte + 1), back.subarray(length)]);
}
