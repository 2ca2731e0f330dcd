import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { needs } from '../../test/support/needs.ts';
import { filter, pieces, sample, source, whole } from './streams.fixture.ts';
import { unzstd, type ZstdDecoder } from './zstd.ts';
import { hasNativeZstd } from './zstd-native.ts';

const decoders: ZstdDecoder[] = (await hasNativeZstd()) ? ['wasm', 'native'] : ['wasm'];

function skippable(content: Uint8Array, number = 0): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(0x184d2a50 + number, 0);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

for (const decoder of decoders) {
  const decode = (bytes: Uint8Array, size?: number) => whole(unzstd(pieces(bytes, size), decoder));

  describe(`zstd by the ${decoder} decoder`, { skip: needs('zstd') }, () => {
    const content = Buffer.concat([sample(400_000), Buffer.alloc(500_000), sample(200_000, 5)]);

    for (const args of [['-1'], ['-19'], ['--fast=5'], ['--no-check'], ['--long=27'], ['--no-content-size'], ['-T2']]) {
      it(`reads what is written with ${args.join(' ')}`, async () => {
        const compressed = filter('zstd', ['-cq', ...args], content);
        assert.ok(content.equals(await decode(compressed)));
        assert.ok(content.equals(await decode(compressed, 1001)));
      });
    }

    it('steps over skippable frames, wherever they stand', async () => {
      const frame = filter('zstd', ['-cq'], sample(1000));
      const extra = [skippable(Buffer.alloc(0)), skippable(sample(300), 15)];
      for (const size of [1, 10, 10_000]) {
        assert.ok(sample(1000).equals(await decode(Buffer.concat([...extra, frame, ...extra]), size)));
      }
      assert.equal((await decode(Buffer.concat(extra))).length, 0);
      await assert.rejects(decode(skippable(sample(300)).subarray(0, 200)), { code: 'COMPRESSION_TRUNCATED' });
    });

    it('reads thousands of small frames', async () => {
      const frame = filter('zstd', ['-cq'], Buffer.from('frame'));
      assert.equal((await decode(Buffer.concat(Array(3000).fill(frame)))).length, 15_000);
    });

    it('refuses a window above 128 MiB before it decodes anything', async () => {
      const compressed = filter('zstd', ['-cq', '--long=28', '--no-content-size'], content);
      const before = process.memoryUsage().rss;
      const { seen, bytes } = source(Buffer.concat([compressed, Buffer.alloc(10 ** 6)]), 4096);
      await assert.rejects(whole(unzstd(bytes, decoder)), { code: 'COMPRESSION_MEMORY' });
      assert.deepEqual([seen.taken, seen.closed], [4096, true]);
      assert.ok(process.memoryUsage().rss - before < 2 ** 24);
    });

    it('refuses a single segment above 128 MiB, whatever size it claims', async () => {
      for (const size of ['0100000800000000', 'ffffffffffffffff']) {
        const frame = Buffer.from(`28b52ffde0${size}010000`, 'hex');
        await assert.rejects(decode(frame), { code: 'COMPRESSION_MEMORY' });
      }
    });

    it('refuses a frame that needs a dictionary, by name', async () => {
      await assert.rejects(decode(Buffer.from('28b52ffd215a05010000', 'hex')), { code: 'COMPRESSION_UNSUPPORTED' });
    });

    for (const [flaw, hex] of [
      ['a reserved bit', '28b52ffd0858010000'],
      ['a reserved type of block', '28b52ffd0058070000'],
      ['a block that is too large', '28b52ffd00580d0010'],
      ['fewer bytes than it declares', '28b52ffd200509000061'],
      ['another magic number', '28b52ffe0058010000'],
    ] as const) {
      it(`with ${flaw} is malformed`, async () => {
        await assert.rejects(decode(Buffer.from(hex, 'hex')), { code: 'COMPRESSION_MALFORMED' });
      });
    }

    it('holds nothing after large windows', async () => {
      const large = filter('zstd', ['-cq', '--long=27', '--no-content-size'], Buffer.alloc(2 ** 20));
      await decode(large);
      const before = process.memoryUsage().rss;
      for (let i = 0; i < 12; i++) await decode(large.subarray(0, -5)).catch(() => undefined);
      assert.ok(process.memoryUsage().rss - before < 400 * 2 ** 20, `${process.memoryUsage().rss - before}`);
    });

    it('reads two streams at the same time', async () => {
      const compressed = filter('zstd', ['-cq'], content);
      for (const result of await Promise.all([decode(compressed, 999), decode(compressed, 5000)])) {
        assert.ok(result.equals(content));
      }
    });
  });
}
