import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chunked, read } from './archive.fixture.ts';
import type { TarEntryType } from './entry.ts';
import { TarWriter, type TarWriterEntry } from './writer.ts';

type Pair = readonly [TarWriterEntry, (Uint8Array | AsyncIterable<Uint8Array>)?];
const FILE = { path: 'file', type: 'file', mode: 0o644, uid: 0, gid: 0 } as const;

async function write(...pairs: readonly Pair[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const writer = new TarWriter((chunk) => void chunks.push(chunk));
  for (const [entry, data] of pairs) await writer.add(entry, data);
  await writer.finish();
  return Buffer.concat(chunks);
}
const refused = (entry: Partial<TarWriterEntry>, code: string, data?: Uint8Array | AsyncIterable<Uint8Array>) =>
  assert.rejects(
    write([{ ...FILE, ...entry }, ...(data === undefined ? ([] as const) : ([data] as const))]),
    { name: 'TarError', code },
    JSON.stringify(entry),
  );

const name = fc
  .oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }), fc.string({ minLength: 1, maxLength: 60 }))
  .map((text) => text.replaceAll('\0', '').replaceAll('/', '_'))
  .filter((text) => text !== '' && Buffer.from(text).toString() === text);
const path = fc.array(name, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
const time = fc.record(
  {
    seconds: fc.oneof(fc.integer({ min: -10, max: 10 }), fc.maxSafeInteger(), fc.integer({ min: 0, max: 8 ** 11 })),
    nanoseconds: fc.oneof(fc.constant(0), fc.nat({ max: 999_999_999 })),
  },
  { noNullPrototype: true },
);
const id = fc.oneof(fc.nat({ max: 70_000 }), fc.integer({ min: 0, max: 2 ** 32 - 2 }));
const common = fc.record({
  path,
  mode: fc.nat({ max: 0o7777 }),
  uid: id,
  gid: id,
  uname: fc.oneof(fc.constant(''), name),
  gname: fc.oneof(fc.constant(''), name),
  mtime: time,
  xattrs: fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 600 })), { selector: ([key]) => key, maxLength: 4 }),
});
const number = fc.nat({ max: 8 ** 7 - 1 });
const special = fc.oneof(
  fc.record({ type: fc.constantFrom<TarEntryType>('symlink', 'hardlink'), linkTarget: path }),
  fc.record({
    type: fc.constantFrom<TarEntryType>('character', 'block'),
    device: fc.record({ major: number, minor: number }, { noNullPrototype: true }),
  }),
  fc.record({ type: fc.constantFrom<TarEntryType>('directory', 'fifo', 'file') }),
);

describe('what the writer writes', () => {
  it('is read as it was given, and is the same bytes again', async () => {
    const entries = fc.array(fc.tuple(common, special, fc.uint8Array({ maxLength: 1500 })), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(entries, async (list) => {
        const pairs = list.map(
          ([a, b, data]) => [{ ...a, ...b }, b.type === 'file' ? data : new Uint8Array()] as const,
        );
        const archive = await write(...pairs);
        const found = await read(archive, 1000);
        assert.equal(found.length, pairs.length);
        for (const [i, [entry, data]] of pairs.entries()) {
          const { dataOffset, storedSize, sparse, ...rest } = found[i]?.entry ?? assert.fail();
          assert.deepEqual(rest, {
            linkTarget: undefined,
            device: undefined,
            size: data.length,
            ...entry,
            xattrs: [...entry.xattrs].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
          });
          assert.deepEqual([found[i]?.data, sparse, storedSize], [Buffer.from(data), undefined, data.length]);
          assert.deepEqual(archive.subarray(dataOffset, dataOffset + storedSize), Buffer.from(data));
        }
        assert.deepEqual(await write(...pairs), archive);
      }),
      { numRuns: 200 },
    );
  });

  it('is plain ustar where everything fits', async () => {
    const archive = await write(
      [
        {
          ...FILE,
          path: `${'p'.repeat(155)}/${'n'.repeat(100)}`,
          uid: 0o7777777,
          mtime: { seconds: 8 ** 11 - 1, nanoseconds: 0 },
        },
      ],
      [{ ...FILE, path: 'd'.repeat(99), type: 'directory', uname: 'u'.repeat(32) }],
      [{ ...FILE, type: 'symlink', linkTarget: 't'.repeat(100) }],
    );
    assert.equal(archive.length, 3 * 512 + 1024);
    for (const at of [0, 512, 1024]) assert.equal(archive.toString('latin1', at + 257, at + 265), 'ustar\x0000');
  });

  for (const [what, entry] of [
    ['a path without a slash in the right place', { path: 'n'.repeat(101) }],
    ['a path that is too long', { path: `${'p'.repeat(156)}/${'n'.repeat(100)}` }],
    ['a path that is not ASCII', { path: 'ü' }],
    ['a directory of 100 bytes', { type: 'directory', path: 'd'.repeat(100) }],
    ['a long link target', { type: 'symlink', linkTarget: 't'.repeat(101) }],
    ['a large id', { uid: 0o10000000 }],
    ['a fraction of a second', { mtime: { seconds: 1, nanoseconds: 1 } }],
    ['a time before 1970', { mtime: { seconds: -1, nanoseconds: 0 } }],
    ['a long owner', { uname: 'u'.repeat(33) }],
    ['an xattr', { xattrs: [['user.a', new Uint8Array(1)]] }],
  ] as const) {
    it(`has a pax header for ${what}`, async () => {
      const archive = await write([{ ...FILE, ...entry }]);
      assert.equal(archive.toString('latin1', 156, 157), 'x');
      assert.ok(archive.toString('latin1', 0, 100).startsWith('PaxHeaders/'));
      assert.equal((await read(archive)).length, 1);
    });
  }

  it('does not depend on the order of xattrs, and never changes', async () => {
    const xattrs = [
      ['user.b', Buffer.from('2')],
      ['user.a', Buffer.from('1')],
    ] as const;
    const mtime = { seconds: -2, nanoseconds: 500_000_000 };
    const pair = (list: typeof xattrs | readonly (typeof xattrs)[number][]): Pair => [
      { ...FILE, path: 'ü', mtime, xattrs: list },
      Buffer.from('x'),
    ];
    const archive = await write(pair(xattrs));
    assert.deepEqual(await write(pair([...xattrs].reverse())), archive);
    const digest = 'a77dd7773d9fb67b779bf533d7c407400b2dfd6c23810ba129b19cdf40d85815';
    assert.equal(createHash('sha256').update(archive).digest('hex'), digest);
  });

  it('has the records of lengths around a power of ten right', async () => {
    for (let length = 60; length < 110; length++) {
      const linkTarget = 'ü'.repeat(length);
      const [found] = await read(await write([{ ...FILE, type: 'symlink', linkTarget }]));
      assert.equal(found?.entry.linkTarget, linkTarget);
    }
  });

  it('has sizes of 8 GiB and more in a pax header', async () => {
    const size = 8 ** 11;
    const chunks: Uint8Array[] = [];
    const writer = new TarWriter((chunk) => void chunks.push(chunk));
    await assert.rejects(writer.add({ ...FILE, size }, chunked(Buffer.from('x'))), { code: 'TAR_SIZE' });
    const head = Buffer.concat(chunks);
    assert.ok(head.toString('latin1', 512, 1024).startsWith('19 size=8589934592\n'));
    assert.equal(head.length, 3 * 512 + 1);
  });
});

describe('the writer', () => {
  it('takes data as a stream of exactly the size', async () => {
    const data = Buffer.alloc(1500, 'x');
    assert.deepEqual(await write([{ ...FILE, size: 1500 }, chunked(data, 700)]), await write([FILE, data]));
    for (const size of [0, 1499, 1501]) await refused({ size }, 'TAR_SIZE', chunked(data, 700));
    for (const size of [0, 1499, 1501]) await refused({ size }, 'TAR_SIZE', data);
    await refused({ size: 1 }, 'TAR_SIZE');
  });

  it('writes no byte more than the size, and the archive cannot be finished after that', async () => {
    let written = 0;
    const writer = new TarWriter((chunk) => {
      written += chunk.length;
    });
    await assert.rejects(writer.add({ ...FILE, size: 800 }, chunked(Buffer.alloc(1500), 700)), { code: 'TAR_SIZE' });
    assert.equal(written, 512 + 700);
    await assert.rejects(writer.finish(), /finished, or has failed/);
    await assert.rejects(writer.add(FILE), /finished, or has failed/);
  });

  it('gives no data to what is no file', async () => {
    for (const type of ['directory', 'fifo', 'character', 'block'] as const)
      await refused({ type }, 'TAR_SIZE', Buffer.from('x'));
    await refused({ type: 'symlink', linkTarget: 'a', size: 1 }, 'TAR_SIZE');
    await refused({ type: 'fifo' }, 'TAR_SIZE', chunked(Buffer.from('x')));
  });

  for (const [flaw, entry, code] of [
    ['an empty path', { path: '' }, 'TAR_NAME'],
    ['a NUL in a path', { path: 'a\0b' }, 'TAR_NAME'],
    ['half a character in a path', { path: 'a\ud800' }, 'TAR_NAME'],
    ['a file that ends in a slash', { path: 'a/' }, 'TAR_NAME'],
    ['a NUL in an owner', { uname: '\0' }, 'TAR_NAME'],
    ['a symlink without a target', { type: 'symlink' }, 'TAR_NAME'],
    ['an xattr without a name', { xattrs: [['', new Uint8Array()]] }, 'TAR_NAME'],
    [
      'an xattr twice',
      {
        xattrs: [
          ['a', new Uint8Array()],
          ['a', new Uint8Array()],
        ],
      },
      'TAR_MALFORMED',
    ],
    ['a file with a target', { linkTarget: 'a' }, 'TAR_MALFORMED'],
    ['a file with device numbers', { device: { major: 1, minor: 1 } }, 'TAR_MALFORMED'],
    ['a mode with a file type', { mode: 0o100644 }, 'TAR_MALFORMED'],
    ['an id of no use', { uid: 2 ** 32 - 1 }, 'TAR_MALFORMED'],
    ['an id below 0', { gid: -1 }, 'TAR_MALFORMED'],
    ['half a second', { mtime: { seconds: 0.5, nanoseconds: 0 } }, 'TAR_MALFORMED'],
    ['too many nanoseconds', { mtime: { seconds: 0, nanoseconds: 1e9 } }, 'TAR_MALFORMED'],
    ['a device number that no header holds', { type: 'block', device: { major: 8 ** 7, minor: 0 } }, 'TAR_MALFORMED'],
    ['a size that is no number', { size: Number.NaN }, 'TAR_SIZE'],
  ] as const) {
    it(`refuses ${flaw}`, () => refused(entry as Partial<TarWriterEntry>, code));
  }

  it('waits for a slow receiver', async () => {
    let busy = false;
    const writer = new TarWriter(async () => {
      assert.equal(busy, false);
      busy = true;
      await new Promise((resolve) => setImmediate(resolve));
      busy = false;
    });
    await writer.add(FILE, Buffer.from('abc'));
    await writer.finish();
    assert.equal(busy, false);
  });
});
