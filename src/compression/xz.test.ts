import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../test/support/needs.ts';
import { scratch } from '../../test/support/scratch.ts';
import { filter, pieces, sample, whole } from './streams.fixture.ts';
import { decompressXz, unxz } from './xz.ts';
import { compressXz } from './xz-program.ts';

const content = sample(300_000);
const never = new AbortController().signal;
const skip = needs('xz');

async function withPath(path: string, run: () => Promise<void>): Promise<void> {
  const { PATH } = process.env;
  process.env['PATH'] = path;
  try {
    await run();
  } finally {
    process.env['PATH'] = PATH;
  }
}

describe('reading xz', { skip }, () => {
  for (const args of [['-0'], ['-9e'], ['--check=none'], ['--check=crc32'], ['--block-size=50000'], ['-T2']]) {
    it(`takes what is written with ${args.join(' ')}`, async () => {
      const compressed = filter('xz', ['-cq', ...args], content);
      assert.ok(content.equals(await decompressXz(compressed, content.length)));
      assert.ok(content.equals(await whole(unxz(pieces(compressed, 1001)))));
    });
  }

  it('stops at the limit', async () => {
    const compressed = filter('xz', ['-cq'], content);
    await assert.rejects(decompressXz(compressed, content.length - 1), { code: 'TOO_LARGE' });
    await assert.rejects(decompressXz(filter('xz', ['-cq', '-0'], Buffer.alloc(2 ** 26)), 1), { code: 'TOO_LARGE' });
  });

  it('takes a dictionary of 64 MiB', async () => {
    const compressed = filter('xz', ['-cq', '--lzma2=dict=64MiB'], content);
    assert.ok(content.equals(await decompressXz(compressed, content.length)));
  });

  it('refuses a larger dictionary, by name and before it is allocated, in a later stream too', async () => {
    const [small, large] = ['64MiB', '96MiB'].map((size) => filter('xz', ['-cq', `--lzma2=dict=${size}`], content));
    const before = process.memoryUsage().rss;
    await assert.rejects(decompressXz(large ?? content, content.length), { code: 'COMPRESSION_MEMORY' });
    assert.ok(process.memoryUsage().rss - before < 2 ** 25);
    await assert.rejects(decompressXz(Buffer.concat([small ?? content, large ?? content]), 10 ** 6), {
      code: 'COMPRESSION_MEMORY',
    });
  });

  for (const args of [['--check=sha256'], ['--delta', '--lzma2'], ['--x86', '--lzma2']]) {
    it(`names what it cannot read: ${args.join(' ')}`, async () => {
      const compressed = filter('xz', ['-cq', ...args], content);
      await assert.rejects(decompressXz(compressed, 10 ** 6), { code: 'COMPRESSION_UNSUPPORTED' });
    });
  }

  it('takes padding in fours, between streams and at the end', async () => {
    const one = filter('xz', ['-cq'], Buffer.from('abc'));
    const padded = (n: number) => Buffer.concat([one, Buffer.alloc(n), one, Buffer.alloc(n)]);
    assert.equal(Buffer.from(await decompressXz(padded(8), 6)).toString(), 'abcabc');
    await assert.rejects(decompressXz(padded(3), 6), { code: 'COMPRESSION_MALFORMED' });
    await assert.rejects(decompressXz(Buffer.concat([one, Buffer.alloc(3)]), 6), { name: 'CompressionError' });
  });

  it('is truncated when there is nothing', async () => {
    await assert.rejects(decompressXz(new Uint8Array(), 6), { code: 'COMPRESSION_TRUNCATED' });
  });

  it('holds nothing after large dictionaries', async () => {
    const large = filter('xz', ['-cq', '-9'], content);
    await decompressXz(large, 10 ** 6);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 12; i++) await decompressXz(large, 10 ** 6);
    assert.ok(process.memoryUsage().rss - before < 200 * 2 ** 20, `${process.memoryUsage().rss - before}`);
  });

  it('of two buffers works at the same time', async () => {
    const compressed = filter('xz', ['-cq'], content);
    const both = await Promise.all([decompressXz(compressed, 10 ** 6), whole(unxz(pieces(compressed, 99)))]);
    for (const result of both) assert.ok(content.equals(result));
  });
});

describe('writing xz', () => {
  it('gives a stream with CRC64 that comes back', { skip }, async () => {
    for (const preset of [0, 6, 8]) {
      const compressed = await compressXz(content, preset, never);
      assert.equal(Buffer.from(compressed.subarray(0, 8)).toString('hex'), 'fd377a585a000004');
      assert.ok(content.equals(await decompressXz(compressed, content.length)));
      assert.ok(filter('xz', ['-dc'], compressed).equals(content));
    }
  });

  it('of nothing gives a stream of nothing', { skip }, async () => {
    assert.equal((await decompressXz(await compressXz(new Uint8Array(), 8, never), 0)).length, 0);
  });

  it('does not obey options in the environment', { skip }, async () => {
    process.env['XZ_OPT'] = '--check=none';
    try {
      assert.equal((await compressXz(content, 0, never))[7], 4);
    } finally {
      delete process.env['XZ_OPT'];
    }
  });

  it('reports a failure of the program, with its words or its status', async (test) => {
    const dir = scratch(test);
    for (const script of ['echo no luck >&2; exit 1', 'kill -9 $$']) {
      writeFileSync(join(dir, 'xz'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      await withPath(dir, () => assert.rejects(compressXz(content, 0, never), { code: 'COMPRESSION_FAILED' }, script));
    }
  });

  it('ends with the reason of the signal', { skip }, async () => {
    const reason = new Error('enough');
    await assert.rejects(compressXz(content, 9, AbortSignal.abort(reason)), (error) => error === reason);
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 30);
    const slow = compressXz(sample(30_000_000), 9, controller.signal);
    await assert.rejects(slow, (error) => error === reason);
  });

  it('names the missing program and what to install', async () => {
    await withPath('/nonexistent', () =>
      assert.rejects(compressXz(content, 0, never), { code: 'NO_XZ', hint: 'install xz-utils' }),
    );
  });
});
