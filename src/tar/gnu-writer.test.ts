import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { read, scan } from './archive.fixture.ts';
import { TarWriter, type TarWriterEntry } from './writer.ts';

const FILE = { path: 'file', type: 'file', mode: 0o644, uid: 0, gid: 0 } as const;

async function write(...entries: readonly TarWriterEntry[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const writer = new TarWriter((chunk) => void chunks.push(chunk), 'gnu');
  for (const entry of entries) await writer.add(entry);
  await writer.finish();
  return Buffer.concat(chunks);
}

const name = fc
  .oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 150 }), fc.string({ minLength: 1, maxLength: 60 }))
  .map((text) => text.replaceAll('\0', '').replaceAll('/', '_'))
  .filter((text) => text !== '' && Buffer.from(text).toString() === text);
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const id = fc.oneof(fc.nat({ max: 70_000 }), fc.integer({ min: 0, max: 2 ** 32 - 2 }));
const entry = fc.record({
  path,
  mode: fc.nat({ max: 0o7777 }),
  uid: id,
  gid: id,
  mtime: fc.record({ seconds: fc.maxSafeInteger(), nanoseconds: fc.constant(0) }, { noNullPrototype: true }),
  xattrs: fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 300 })), { selector: ([key]) => key, maxLength: 3 }),
});
const kind = fc.oneof(
  fc.record({ type: fc.constantFrom('symlink', 'hardlink'), linkTarget: path }),
  fc.record({ type: fc.constantFrom('directory', 'file', 'fifo') }),
);

describe('the writer in the dialect of GNU', () => {
  it('is read as what it was given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(entry, kind), { maxLength: 4 }), async (list) => {
        const entries = list.map(([a, b]) => ({ ...a, ...b }));
        const found = await read(await write(...(entries as TarWriterEntry[])), 1000);
        const told = found.map(({ entry: { path, type, mode, uid, gid, mtime, linkTarget, xattrs } }) => ({
          ...{ path, type, mode, uid, gid, mtime, linkTarget, xattrs },
        }));
        const sorted = entries.map(({ xattrs, ...rest }) => ({
          linkTarget: undefined,
          ...rest,
          xattrs: [...xattrs].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        }));
        assert.deepEqual(told, sorted);
      }),
      { numRuns: 150 },
    );
  });

  it('takes a name of 100 bytes into the header, without a NUL, and a longer one into a record before it', async () => {
    const exact = await write({ ...FILE, path: 'n'.repeat(100) });
    assert.equal(exact.length, 512 + 1024);
    assert.equal(exact.toString('latin1', 0, 108), `${'n'.repeat(100)}0000644\0`);
    const longer = await write({ ...FILE, path: 'n'.repeat(101) });
    assert.equal(longer.toString('latin1', 0, 14), '././@LongLink\0');
    assert.deepEqual(
      [longer.toString('latin1', 156, 157), longer.toString('latin1', 124, 136)],
      ['L', '00000000146\0'],
    );
    assert.equal(longer.toString('latin1', 512, 614), `${'n'.repeat(101)}\0`);
    assert.equal(longer.length, 3 * 512 + 1024);
  });

  it('has the magic of GNU, no owner, no time, and no slash behind a directory', async () => {
    const archive = await write({ ...FILE, type: 'directory', path: 'usr', mode: 0o755 });
    assert.equal(archive.toString('latin1', 0, 5), 'usr\0\0');
    assert.equal(archive.toString('latin1', 257, 265), 'ustar  \0');
    assert.equal(archive.toString('latin1', 136, 148), '00000000000\0');
    assert.deepEqual(archive.subarray(265, 329), Buffer.alloc(64));
  });

  it('has a pax header for xattrs and for nothing else', async () => {
    const long = { ...FILE, path: 'ü'.repeat(80), uid: 2 ** 31 } as const;
    assert.ok(!(await write(long)).includes('PaxHeaders'));
    const xattrs = [['security.capability', Buffer.of(1, 0, 10, 255)]] as const;
    const [found] = scan(await write({ ...long, xattrs }));
    assert.deepEqual(found?.xattrs, [['security.capability', Uint8Array.of(1, 0, 10, 255)]]);
    assert.deepEqual([found.path, found.uid], [long.path, long.uid]);
  });

  it('refuses what no GNU header can say', async () => {
    const refused = { name: 'TarError', code: 'TAR_MALFORMED' };
    await assert.rejects(write({ ...FILE, mtime: { seconds: 1, nanoseconds: 1 } }), refused);
    await assert.rejects(write({ ...FILE, uname: 'u'.repeat(33) }), refused);
  });
});
