/** What all formats have in common; beside it stands a test per format. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { needs } from '../../test/support/needs.ts';
import { type CompressionFormat, decompress } from './decompress.ts';
import { gunzip } from './gzip.ts';
import { filter, mutate, pieces, sample, seeded, source, whole } from './streams.fixture.ts';
import { unxz } from './xz.ts';
import { unzstd } from './zstd.ts';
import { hasNativeZstd } from './zstd-native.ts';

interface Candidate {
  readonly name: string;
  readonly format: CompressionFormat;
  readonly decode: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  readonly compress: (content: Uint8Array) => Buffer;
  readonly skip: false | string;
}

const zstd = { format: 'zstd', compress: (c: Uint8Array) => filter('zstd', ['-cq'], c), skip: needs('zstd') } as const;
/** A small dictionary: the decoder allocates it for each of thousands of streams. */
const XZ = ['-cq', '--lzma2=preset=1,dict=64KiB'];
const candidates: Candidate[] = [
  { name: 'gzip', format: 'gzip', decode: gunzip, compress: (content) => gzipSync(content), skip: false },
  { name: 'zstd in WebAssembly', ...zstd, decode: (bytes) => unzstd(bytes, 'wasm') },
  { name: 'xz', format: 'xz', decode: unxz, compress: (c) => filter('xz', XZ, c), skip: needs('xz') },
];
if (await hasNativeZstd()) {
  candidates.push({ name: 'zstd in Node', ...zstd, decode: (bytes) => unzstd(bytes, 'native') });
}

const LIMIT = 2 ** 20;

for (const { name, format, decode, compress, skip } of candidates) {
  const options = { format, limit: LIMIT } as const;

  describe(name, { skip }, () => {
    it('gives the content of what the program wrote, in chunks of any size', async () => {
      const content = Buffer.concat([sample(600_000), Buffer.alloc(3_000_000), sample(100_000, 2)]);
      const compressed = compress(content);
      for (const size of [1009, 65536, 10 ** 8]) {
        assert.ok(content.equals(await whole(decode(pieces(compressed, size)))), `${size}`);
      }
    });

    it('gives the content of any two streams that follow each other, byte by byte', async () => {
      const contents = fc.uint8Array({ maxLength: 300 });
      await fc.assert(
        fc.asyncProperty(contents, contents, fc.constantFrom(1, 3, 10_000), async (a, b, size) => {
          const both = Buffer.concat([compress(a), compress(b)]);
          assert.deepEqual(await whole(decode(pieces(both, size))), Buffer.concat([a, b]));
        }),
        { numRuns: 15 },
      );
    });

    it('is truncated wherever it is cut off, but between two streams', async () => {
      const one = compress(sample(150));
      const both = Buffer.concat([one, compress(sample(150, 2))]);
      for (let n = 0; n < both.length; n++) {
        const result = whole(decode(pieces(both.subarray(0, n), 100)));
        if (n === one.length) assert.ok(sample(150).equals(await result));
        else await assert.rejects(result, { name: 'CompressionError', code: 'COMPRESSION_TRUNCATED' }, `${n}`);
      }
    });

    it('followed by something else is malformed, in the same chunk or another', async () => {
      const one = compress(sample(150));
      for (const rest of ['garbage and more of it', '\x01', '\0\0\0\0garbage and more of it']) {
        for (const size of [1, one.length, 10_000]) {
          await assert.rejects(
            whole(decode(pieces(Buffer.concat([one, Buffer.from(rest)]), size))),
            (error: Error & { code?: string }) =>
              error.code === 'COMPRESSION_MALFORMED' || (rest.length < 4 && error.code === 'COMPRESSION_TRUNCATED'),
            `${JSON.stringify(rest)} in ${size}`,
          );
        }
      }
    });

    it('is detected', async () => {
      const bytes = pieces(compress(sample(1000)), 1);
      assert.ok(sample(1000).equals(await whole(decompress(bytes, { format: 'detect', limit: 1000 }))));
    });

    it('that was damaged gives bytes or an error of ours, 2 000 times', async () => {
      const random = seeded(11);
      const compressed = compress(sample(1500));
      const found = new Set<string>();
      for (let i = 0; i < 2000; i++) {
        try {
          const content = await whole(decode(pieces(mutate(compressed, random))));
          assert.ok(content.length < 10 * LIMIT);
        } catch (error) {
          const { name: type, code } = error as { name?: string; code?: string };
          assert.equal(type, 'CompressionError', `mutation ${i}: ${error}`);
          found.add(code ?? '');
        }
      }
      assert.ok(found.has('COMPRESSION_MALFORMED') && found.has('COMPRESSION_TRUNCATED'), [...found].join());
    });

    it('with a damaged checksum or content is malformed', async () => {
      const content = sample(5000);
      const compressed = compress(content);
      for (let at = compressed.length >> 1; at < compressed.length; at += 97) {
        const damaged = Buffer.from(compressed);
        damaged[at] = (damaged[at] ?? 0) ^ 0x10;
        await assert.rejects(whole(decode(pieces(damaged))), { name: 'CompressionError' }, `${at}`);
      }
    });

    it('is refused at the limit, with hardly more of the source taken, and memory stays flat', async () => {
      const bomb = Buffer.concat(Array(8).fill(compress(Buffer.alloc(128 * 2 ** 20))));
      const before = process.memoryUsage().rss;
      const { seen, bytes } = source(bomb, 4096);
      await assert.rejects(whole(decompress(bytes, options)), { code: 'TOO_LARGE' });
      assert.ok(seen.closed && seen.taken <= 2 * 4096, `${seen.taken}`);
      assert.ok(process.memoryUsage().rss - before < 64 * 2 ** 20, `${process.memoryUsage().rss - before}`);
    });

    it('may hold exactly as much as the limit', async () => {
      const compressed = compress(sample(70_000));
      assert.equal((await whole(decompress(pieces(compressed), { format, limit: 70_000 }))).length, 70_000);
      await assert.rejects(whole(decompress(pieces(compressed), { format, limit: 69_999 })), { code: 'TOO_LARGE' });
    });

    it('closes its source when the consumer leaves early', async () => {
      const { seen, bytes } = source(compress(sample(3_000_000)), 10_000);
      for await (const chunk of decompress(bytes, { format, limit: 2 ** 30 })) {
        assert.ok(chunk.length > 0);
        break;
      }
      assert.deepEqual([seen.closed, seen.finished], [true, false]);
    });

    it('passes the error of its source on', async () => {
      const failure = new Error('cut off');
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield compress(sample(1000)).subarray(0, 100);
        throw failure;
      }
      await assert.rejects(whole(decompress(broken(), { format: 'detect', limit: LIMIT })), (e) => e === failure);
    });
  });
}

describe('decompressing', () => {
  it('keeps no chunk that was handed on, also with a signal', async () => {
    const { signal } = new AbortController();
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 400; i++) yield Buffer.alloc(2 ** 20, i);
    }
    const before = process.memoryUsage().rss;
    for await (const chunk of decompress(endless(), { format: 'none', limit: 2 ** 30, signal })) {
      assert.equal(chunk.length, 2 ** 20);
    }
    assert.ok(process.memoryUsage().rss - before < 200 * 2 ** 20, `${process.memoryUsage().rss - before}`);
  });

  it('nothing gives the bytes themselves, under the limit', async () => {
    for (const format of ['none', 'detect'] as const) {
      assert.equal((await whole(decompress(pieces(Buffer.from('plain')), { format, limit: 5 }))).toString(), 'plain');
      assert.equal((await whole(decompress(pieces(Buffer.alloc(0)), { format, limit: 0 }))).length, 0);
      await assert.rejects(whole(decompress(pieces(Buffer.from('plain')), { format, limit: 4 })), {
        code: 'TOO_LARGE',
      });
    }
  });

  it('the wrong format is malformed', async () => {
    const stream = (format: CompressionFormat) =>
      whole(decompress(pieces(Buffer.from('this is plain text')), { format, limit: 100 }));
    for (const format of ['gzip', 'zstd', 'xz'] as const) {
      await assert.rejects(stream(format), { code: 'COMPRESSION_MALFORMED' }, format);
    }
  });

  it('stops with the reason of the signal, before it starts or while the source is silent', async () => {
    const reason = new Error('enough');
    for (const format of ['gzip', 'detect'] as const) {
      const { seen, bytes } = source(Buffer.alloc(100));
      await assert.rejects(
        whole(decompress(bytes, { format, limit: 100, signal: AbortSignal.abort(reason) })),
        (error) => error === reason,
      );
      assert.equal(seen.taken, 0);
      async function* silent(): AsyncGenerator<Uint8Array> {
        yield gzipSync('abc').subarray(0, 5);
        await new Promise<never>(() => undefined);
      }
      const controller = new AbortController();
      setTimeout(() => controller.abort(reason), 20);
      await assert.rejects(
        whole(decompress(silent(), { format, limit: 100, signal: controller.signal })),
        (error) => error === reason,
      );
    }
  });
});
