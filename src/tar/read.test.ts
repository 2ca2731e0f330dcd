import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertRefused, blocks, chunked, END, GNU, header, pax, read, scan } from './archive.fixture.ts';
import { readTar, type TarStreamEntry } from './read.ts';
import { scanTar } from './scan.ts';

const file = (name: string, text: string): Buffer => Buffer.concat([header({ name, size: text.length }), blocks(text)]);
const PATHS = ['a', 'b', 'c'];
const THREE = Buffer.concat([file('a', 'first'), file('b', ''), file('c', 'x'.repeat(1000))]);
const paths = (archive: Buffer): string[] => scan(archive).map(({ path }) => path);

async function entriesOf(archive: Uint8Array): Promise<AsyncGenerator<TarStreamEntry>> {
  return readTar(chunked(archive, 700));
}
async function nextOf(entries: AsyncGenerator<TarStreamEntry>): Promise<TarStreamEntry> {
  const { value, done } = await entries.next();
  assert.ok(done !== true);
  return value;
}
async function textOf(data: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of data) text += Buffer.from(chunk).toString('latin1');
  return text;
}

describe('an archive', () => {
  it('gives the same entries and data in chunks of any size', async () => {
    const whole = await read(Buffer.concat([THREE, END]));
    assert.deepEqual(
      whole.map(({ entry, data }) => [entry.path, data.length]),
      [
        ['a', 5],
        ['b', 0],
        ['c', 1000],
      ],
    );
    for (const chunk of [1, 2, 511, 512, 513, 1500])
      assert.deepEqual(await read(Buffer.concat([THREE, END]), chunk), whole);
  });

  it('ends with two zero blocks, whatever comes behind', async () => {
    for (const rest of [Buffer.alloc(0), Buffer.alloc(9000), Buffer.from('garbage'), file('hidden', ''), THREE]) {
      const archive = Buffer.concat([THREE, END, rest]);
      assert.deepEqual(paths(archive), PATHS);
      assert.equal((await read(archive, 100)).length, 3);
    }
  });

  it('may end at the end of an entry, or with one zero block', async () => {
    for (const end of [0, 512, 700, 1023]) {
      const archive = Buffer.concat([THREE, Buffer.alloc(end)]);
      assert.deepEqual(paths(archive), PATHS);
      assert.equal((await read(archive, 100)).length, 3);
    }
  });

  it('with one zero block and then something else is malformed: so looks a hole in a damaged file', async () => {
    await assertRefused(Buffer.concat([THREE, Buffer.alloc(512), THREE, END]), 'TAR_MALFORMED');
    await assertRefused(Buffer.concat([THREE, Buffer.alloc(512), Buffer.from('x')]), 'TAR_MALFORMED');
  });

  it('may be empty', async () => {
    assert.deepEqual(
      [scan(END), scan(Buffer.alloc(0)), await read(END), await read(Buffer.alloc(0))],
      [[], [], [], []],
    );
  });

  it('that is something else is malformed', async () => {
    await assertRefused(Buffer.from('<html>'.repeat(200)), 'TAR_MALFORMED');
    await assertRefused(Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(2000, 7)]), 'TAR_MALFORMED');
  });

  it('cut off anywhere but at the end of an entry, before or behind its padding, is truncated', async () => {
    const archive = Buffer.concat([
      file('a', 'x'.repeat(600)),
      pax([['path', 'p']]),
      file('b', 'y'),
      header({ type: 'L', size: 5, magic: GNU }),
      blocks('name\0'),
      file('c', ''),
    ]);
    const isGood = (length: number): boolean =>
      length === 0 ||
      length === archive.length ||
      (1112 <= length && length <= 1536) ||
      (3073 <= length && length <= 3584);
    for (let length = 0; length <= archive.length; length += length % 512 === 1 ? 510 : 1) {
      const cut = archive.subarray(0, length);
      if (isGood(length)) assert.equal((await read(cut)).length, scan(cut).length);
      else await assertRefused(cut, 'TAR_TRUNCATED');
    }
  });
});

describe('the data of an entry', () => {
  it('are passed over when nobody reads them, or not to their end', async () => {
    const entries = await entriesOf(
      Buffer.concat([file('a', 'x'.repeat(5000)), file('b', 'y'.repeat(5000)), file('c', 'z'), END]),
    );
    await nextOf(entries);
    for await (const chunk of (await nextOf(entries)).data()) {
      assert.ok(chunk.length > 0);
      break;
    }
    assert.equal(await textOf((await nextOf(entries)).data()), 'z');
    assert.equal((await entries.next()).done, true);
  });

  it('are to be read once, and before the next entry', async () => {
    const entries = await entriesOf(Buffer.concat([THREE, END]));
    const first = await nextOf(entries);
    assert.equal(await textOf(first.data()), 'first');
    await assert.rejects(textOf(first.data()), /twice/);
    const second = await nextOf(entries);
    await nextOf(entries);
    await assert.rejects(textOf(second.data()), /too late/);
  });

  it('that are being read when the next entry is asked for end with an error, not early', async () => {
    const entries = await entriesOf(Buffer.concat([file('a', 'x'.repeat(5000)), file('b', ''), END]));
    const data = (await nextOf(entries)).data()[Symbol.asyncIterator]();
    await data.next();
    await nextOf(entries);
    await assert.rejects(data.next(), /too late/);
  });

  it('are truncated with the archive', async () => {
    const entries = await entriesOf(file('a', 'x'.repeat(5000)).subarray(0, 3000));
    await assert.rejects(textOf((await nextOf(entries)).data()), { code: 'TAR_TRUNCATED' });
  });
});

describe('the source of an archive', () => {
  const watched = (parts: readonly Uint8Array[]) => {
    const seen = { given: 0, closed: false };
    async function* source() {
      try {
        for (const part of parts) {
          seen.given++;
          yield part;
        }
      } finally {
        seen.closed = true;
      }
    }
    return { seen, source: source() };
  };

  it('is read to its end, so that a digest over it is complete', async () => {
    const { seen, source } = watched([THREE, END, Buffer.alloc(10), Buffer.alloc(10)]);
    for await (const entry of readTar(source)) assert.ok(entry.path);
    assert.deepEqual(seen, { given: 4, closed: true });
  });

  it('is closed when the reader stops early or fails', async () => {
    const early = watched([THREE, END, END]);
    for await (const entry of readTar(early.source)) {
      assert.equal(entry.path, 'a');
      break;
    }
    assert.deepEqual(early.seen, { given: 1, closed: true });
    const bad = watched([Buffer.alloc(512, 1), END]);
    await assert.rejects(readTar(bad.source).next(), { code: 'TAR_MALFORMED' });
    assert.equal(bad.seen.closed, true);
  });

  it('that fails has its own error come through', async () => {
    async function* failing() {
      yield THREE.subarray(0, 600);
      throw new Error('connection lost');
    }
    const entries = readTar(failing());
    await entries.next();
    await assert.rejects(entries.next(), /connection lost/);
  });

  it('may use a buffer again that it gave before', async () => {
    const archive = Buffer.concat([pax([['SCHILY.xattr.user.a', 'value']]), THREE, END]);
    async function* reusing() {
      const buffer = Buffer.alloc(2048);
      for (let at = 0; at < archive.length; at += 2048) {
        buffer.fill(0xee);
        yield buffer.subarray(0, archive.copy(buffer, 0, at, at + 2048));
      }
    }
    const found = [];
    for await (const { path, xattrs } of readTar(reusing())) found.push([path, xattrs]);
    assert.deepEqual(found, [
      ['a', [['user.a', new Uint8Array(Buffer.from('value'))]]],
      ['b', []],
      ['c', []],
    ]);
  });

  it('for scanning is a regular file, whose offset stays', () => {
    const fd = openSync('/dev/null', 'r');
    assert.throws(() => [...scanTar(fd)], { code: 'TAR_UNSUPPORTED' });
    closeSync(fd);
    const self = openSync(import.meta.filename, 'r');
    assert.throws(() => [...scanTar(self)], { code: 'TAR_MALFORMED' });
    const byte = Buffer.alloc(1);
    readSync(self, byte);
    assert.equal(byte[0], readFileSync(import.meta.filename)[0]);
    closeSync(self);
  });
});

describe('a limit', () => {
  it('of entries lets so many pass', async () => {
    assert.equal(scan(Buffer.concat([THREE, END]), { entries: 3 }).length, 3);
    await assertRefused(Buffer.concat([THREE, END]), 'TAR_LIMIT', { entries: 2 });
  });

  it('of paths is one of bytes, wherever the path stands', async () => {
    const long = (size: number) =>
      Buffer.concat([header({ type: 'L', size, magic: GNU }), blocks('n'.repeat(size)), header()]);
    for (const [archive, limit] of [
      [header({ name: Buffer.from('ü'.repeat(50)) }), 100],
      [header({ rest: 'p'.repeat(99) }), 104],
      [header({ type: '2', link: 'l'.repeat(100) }), 100],
      [Buffer.concat([pax([['path', 'ü'.repeat(2048)]]), header()]), 4096],
      [Buffer.concat([pax([['linkpath', 'ü'.repeat(60)]]), header({ type: '2' })]), 120],
      [long(4096), 4096],
    ] as const) {
      assert.equal(scan(archive, { pathLength: limit }).length, 1);
      await assertRefused(archive, 'TAR_LIMIT', { pathLength: limit - 1 });
    }
    await assertRefused(long(4097), 'TAR_LIMIT');
  });

  it('of headers is one of all that come before an entry', async () => {
    const one = pax([['comment', 'x'.repeat(400)]]);
    const archive = Buffer.concat([one, one, one, header(), one, one, one, header(), END]);
    assert.equal(scan(archive, { headerBytes: 3 * 1024 }).length, 2);
    await assertRefused(archive, 'TAR_LIMIT', { headerBytes: 2000 });
  });

  for (const type of ['x', 'g', 'X', 'L', 'K', 'V']) {
    it(`ends an archive of nothing but headers of type ${type}`, async () => {
      async function* endless() {
        for (;;) yield header({ type, magic: GNU });
      }
      await assert.rejects(readTar(endless()).next(), { code: 'TAR_LIMIT' });
    });
  }

  it('of headers holds before they are read', async () => {
    await assertRefused(header({ type: 'x', size: 2 ** 30 }), 'TAR_LIMIT');
    const large = pax([['SCHILY.xattr.user.large', 'x'.repeat(1_000_000)]]);
    assert.equal(scan(Buffer.concat([large, header(), END]))[0]?.xattrs[0]?.[1].length, 1_000_000);
  });
});
