import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { needs } from '../../test/support/needs.ts';
import { deflatePiece, deflateRaw, inflateRaw } from './deflate.ts';
import { filter, mutate, sample, seeded } from './streams.fixture.ts';

const level = fc.integer({ min: 0, max: 9 });
const MALFORMED = { name: 'CompressionError', code: 'COMPRESSION_MALFORMED' };

describe('raw deflate', () => {
  it('comes back as it went in, at every level', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), level, (content, n) => {
        const compressed = deflateRaw(content, n);
        assert.deepEqual(Buffer.from(inflateRaw(compressed, content.length)), Buffer.from(content));
        assert.ok(inflateRawSync(compressed).equals(content));
      }),
    );
  });

  it('of nothing is 03 00', () => {
    assert.equal(Buffer.from(deflateRaw(new Uint8Array(), 6)).toString('hex'), '0300');
    assert.equal(inflateRaw(Buffer.from('0300', 'hex'), 0).length, 0);
  });

  for (const length of [1, 62, 63, 64, 65, 2 ** 20, 4 * 2 ** 20 - 1, 4 * 2 ** 20, 9 * 2 ** 20 + 1]) {
    it(`of ${length} bytes comes back, compressible or not`, () => {
      for (const content of [sample(length), Buffer.alloc(length)]) {
        assert.ok(content.equals(inflateRaw(deflateRaw(content, 1), length)));
      }
    });
  }

  it('of more or less than the size is malformed', () => {
    for (const length of [1, 63, 64, 1000, 100_000]) {
      const compressed = deflateRaw(sample(length), 6);
      for (const size of [0, length - 1, length + 1, 2 * length]) {
        assert.throws(() => inflateRaw(compressed, size), MALFORMED, `${length} as ${size}`);
      }
    }
    assert.throws(() => inflateRaw(deflateRaw(Buffer.alloc(2 ** 24), 9), 10), MALFORMED);
  });

  it('is malformed wherever it is cut off', () => {
    const content = sample(300);
    const compressed = deflateRaw(content, 6);
    for (let n = 0; n < compressed.length; n++) {
      assert.throws(() => inflateRaw(compressed.subarray(0, n), 300), MALFORMED, `${n}`);
    }
  });

  it('may be followed by bytes, which are not read', () => {
    const compressed = Buffer.concat([deflateRaw(sample(300), 6), Buffer.from('garbage')]);
    assert.ok(sample(300).equals(inflateRaw(compressed, 300)));
  });

  it('with an absurd size is refused before anything is allocated', () => {
    assert.throws(() => inflateRaw(Buffer.from('0300', 'hex'), 2 ** 40), { code: 'TOO_LARGE' });
  });

  it('that was damaged gives bytes of that size or is malformed, 5 000 times', () => {
    const random = seeded(7);
    const compressed = deflateRaw(sample(2000), 6);
    for (let i = 0; i < 5000; i++) {
      try {
        assert.equal(inflateRaw(mutate(compressed, random), 2000).length, 2000);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'COMPRESSION_MALFORMED', `mutation ${i}`);
      }
    }
  });
});

describe('pieces of raw deflate', () => {
  /** Compressed from the last piece to the first: none may depend on another's compressor. */
  function inPieces(content: Uint8Array, size: number, n: number): Buffer {
    const outputs: Uint8Array[] = [];
    for (let at = Math.max(0, Math.ceil(content.length / size) - 1) * size; at >= 0; at -= size) {
      const last = at + size >= content.length;
      outputs.unshift(
        deflatePiece(content.subarray(at, at + size), { level: n, before: content.subarray(0, at), last }),
      );
    }
    return Buffer.concat(outputs);
  }

  it('are one stream in their order, whatever their size', () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.integer({ min: 1, max: 70_000 }), level, fc.nat(), (length, size, n, seed) => {
        const content = sample(length, seed + 1);
        const compressed = inPieces(content, Math.max(size, Math.ceil(length / 50)), n);
        assert.ok(content.equals(inflateRaw(compressed, length)));
      }),
      { numRuns: 60 },
    );
  });

  it('of one byte each are one stream, too', () => {
    const content = sample(500);
    assert.ok(content.equals(inflateRawSync(inPieces(content, 1, 6))));
  });

  it('may be empty, in the middle and at the end', () => {
    const [none, a] = [new Uint8Array(), Buffer.from('a')];
    const options = { level: 6, before: a, last: false };
    const stream = [
      deflatePiece(a, { ...options, before: none }),
      deflatePiece(none, options),
      deflatePiece(a, options),
      deflatePiece(none, { ...options, last: true }),
    ];
    assert.equal(inflateRawSync(Buffer.concat(stream)).toString(), 'aa');
    assert.equal(inflateRaw(deflatePiece(none, { level: 6, before: none, last: true }), 0).length, 0);
  });

  it('refer back across their borders', () => {
    const noise = Buffer.from(Array.from({ length: 20_000 }, seeded(3).bind(undefined, 256)));
    const twice = Buffer.concat([noise, noise]);
    assert.ok(inPieces(twice, noise.length, 6).length < 1.1 * noise.length);
  });

  it('that are not the last end on a byte border with the mark of a flush', () => {
    const piece = deflatePiece(sample(1000), { level: 6, before: new Uint8Array(), last: false });
    assert.equal(Buffer.from(piece.subarray(-4)).toString('hex'), '0000ffff');
  });

  it('are read by another program', { skip: needs('gzip') }, () => {
    const content = sample(300_000);
    const trailer = filter('gzip', ['-c', '-n'], content).subarray(-8);
    const header = Buffer.from('1f8b08000000000000ff', 'hex');
    const member = Buffer.concat([header, inPieces(content, 50_000, 6), trailer]);
    assert.ok(filter('gzip', ['-dc'], member).equals(content));
  });
});
