import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertRefused, blocks, END, header, onlyEntry, pax, type RawHeader, read, scan } from './archive.fixture.ts';
import type { TarEntry } from './entry.ts';

type Records = readonly (readonly [key: string, value: string | Buffer])[];
const withRecords = (records: Records, raw: RawHeader = {}): Buffer => Buffer.concat([pax(records), header(raw), END]);
const one = (records: Records, raw?: RawHeader): Promise<TarEntry> => onlyEntry(withRecords(records, raw));
const refused = (records: Records, code = 'TAR_MALFORMED'): Promise<void> => assertRefused(withRecords(records), code);
const rawPax = (body: string): Buffer =>
  Buffer.concat([header({ type: 'x', size: body.length }), blocks(body), header(), END]);

describe('a pax header', () => {
  it('counts in place of the header behind it', async () => {
    const entry = await one(
      [
        ['path', 'Ü/'.repeat(100)],
        ['linkpath', 'ziel'],
        ['uid', '3000000000'],
        ['gid', '0'],
        ['uname', 'jürgen'],
        ['gname', 'gruppe'],
        ['mtime', '1700000000.25'],
        ['comment', 'of no meaning'],
      ],
      { type: '2', link: 'other', uid: '0000001\0', gid: '0000002\0', uname: 'root' },
    );
    assert.deepEqual(
      [entry.path, entry.linkTarget, entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime],
      [
        'Ü/'.repeat(100),
        'ziel',
        3_000_000_000,
        0,
        'jürgen',
        'gruppe',
        { seconds: 1_700_000_000, nanoseconds: 250_000_000 },
      ],
    );
  });

  it('has the size of the data', async () => {
    const archive = Buffer.concat([pax([['size', '600']]), header({ size: 0 }), blocks('d'.repeat(600)), END]);
    assert.equal((await onlyEntry(archive)).storedSize, 600);
    assert.equal((await read(archive, 99))[0]?.data.length, 600);
  });

  it('has the size of what a hard link carries along, which is passed over', async () => {
    const link = header({ type: '1', link: 'a', name: 'b' });
    const inner = Buffer.concat([header({ name: 'inner' }), blocks('d')]);
    const archive = Buffer.concat([
      header({ name: 'a' }),
      pax([['size', '1024']]),
      link,
      inner,
      header({ name: 'z' }),
      END,
    ]);
    assert.deepEqual(
      scan(archive).map(({ path, size, storedSize }) => [path, size, storedSize]),
      [
        ['a', 0, 0],
        ['b', 0, 0],
        ['z', 0, 0],
      ],
    );
    assert.deepEqual(
      (await read(archive, 100)).map(({ entry }) => entry),
      scan(archive),
    );
  });

  it('has device numbers that do not fit, from bsdtar', async () => {
    const records = [
      ['SCHILY.devmajor', '259'],
      ['SCHILY.devminor', '1048575'],
    ] as const;
    assert.deepEqual((await one(records, { type: '4' })).device, { major: 259, minor: 1_048_575 });
    await assertRefused(withRecords([['SCHILY.devminor', '4294967296']], { type: '4' }), 'TAR_MALFORMED');
  });

  it('of Solaris, with its own letter, is the same', async () => {
    assert.equal((await onlyEntry(Buffer.concat([pax([['path', 'x']], 'X'), header(), END]))).path, 'x');
  });

  it('counts for one entry only, and the later of two records', async () => {
    const archive = Buffer.concat([
      pax([
        ['path', 'a'],
        ['path', 'b'],
      ]),
      header(),
      header(),
      END,
    ]);
    assert.deepEqual(
      scan(archive).map(({ path }) => path),
      ['b', 'file'],
    );
  });

  for (const [text, seconds, nanoseconds] of [
    ['0', 0, 0],
    ['1.', 1, 0],
    ['1.5', 1, 500_000_000],
    ['1.0000000019', 1, 1],
    ['-1', -1, 0],
    ['-0.5', -1, 500_000_000],
    ['-1.5', -2, 500_000_000],
    ['-1.0000000001', -2, 999_999_999],
    ['-1.9999999999', -2, 0],
    ['-0', 0, 0],
  ] as const) {
    it(`has a time ${text}`, async () =>
      assert.deepEqual((await one([['mtime', text]])).mtime, { seconds, nanoseconds }));
  }

  for (const [key, value] of [
    ['mtime', 'now'],
    ['mtime', '1e3'],
    ['mtime', '.5'],
    ['mtime', '--1'],
    ['mtime', '9007199254740992'],
    ['size', '-1'],
    ['size', '9223372036854775808'],
    ['uid', '4294967295'],
    ['uid', '0x10'],
    ['gid', ' 1'],
  ] as const) {
    it(`with ${key} ${JSON.stringify(value)} is malformed`, () => refused([[key, value]]));
  }

  for (const [flaw, body] of [
    ['without a length', 'path=a\n'],
    ['with a length in hex', '0a path=a\n'],
    ['with a length that leads beyond its end', '99 path=a\n'],
    ['with a length that is too small', '9 path=ab\n'],
    ['with a length of 0', '0 path=a\n'],
    ['with a length below 0', '-9 path=a\n'],
    ['with a leading zero', '010 path=a\n'],
    ['without =', '7 path\n'],
    ['without a key', '5 =a\n'],
    ['without a newline', '9 path=a '],
    ['with a NUL behind its records', '10 path=ab\n\0'],
    ['with a length of a hundred digits', `${'9'.repeat(100)} path=a\n`],
    ['with nothing but a number', '9'],
  ] as const) {
    it(`${flaw} is malformed`, () => assertRefused(rawPax(body), 'TAR_MALFORMED'));
  }

  it('with a name that is not UTF-8 or holds a NUL is refused, whatever its character set', async () => {
    for (const key of ['path', 'uname', 'gname', 'linkpath']) {
      await refused([[key, Buffer.from('f\xfc', 'latin1')]], 'TAR_NAME');
      await refused(
        [
          ['hdrcharset', 'BINARY'],
          [key, Buffer.from('f\xfc', 'latin1')],
        ],
        'TAR_NAME',
      );
      await refused([[key, 'a\0b']], 'TAR_NAME');
    }
    assert.equal(
      (
        await one([
          ['hdrcharset', 'BINARY'],
          ['path', 'ü'],
        ])
      ).path,
      'ü',
    );
    assert.equal(
      (
        await one([
          ['hdrcharset', 'ISO-IR 10646 2000 UTF-8'],
          ['path', 'ü'],
        ])
      ).path,
      'ü',
    );
    await refused([['hdrcharset', 'KOI8-R']], 'TAR_UNSUPPORTED');
  });

  it('may have records that nobody here knows', async () => {
    assert.equal((await onlyEntry(rawPax('11  path=a\n12 a b c=d=\n'))).path, 'file');
  });

  it('without an entry behind it is truncated', async () => {
    await assertRefused(pax([['path', 'a']]), 'TAR_TRUNCATED');
    await assertRefused(Buffer.concat([pax([['path', 'a']]), END]), 'TAR_TRUNCATED');
    await assertRefused(header({ type: 'x', size: 10 }), 'TAR_TRUNCATED');
  });
});

describe('a global pax header', () => {
  const global = (records: Records): Buffer => pax(records, 'g');

  it('counts for every entry behind it until another says otherwise', async () => {
    const archive = Buffer.concat([
      header({ name: '1' }),
      global([
        ['uname', 'all'],
        ['mtime', '7'],
        ['SCHILY.xattr.user.g', 'global'],
      ]),
      header({ name: '2' }),
      pax([
        ['uname', 'me'],
        ['SCHILY.xattr.user.own', 'x'],
      ]),
      header({ name: '3' }),
      pax([['uname', '']]),
      header({ name: '4', uname: 'header' }),
      global([
        ['uname', ''],
        ['mtime', '8'],
      ]),
      header({ name: '5', uname: 'header' }),
      END,
    ]);
    assert.deepEqual(
      scan(archive).map((e) => [e.path, e.uname, e.mtime.seconds, e.xattrs.map(([name]) => name).join()]),
      [
        ['1', '', 0, ''],
        ['2', 'all', 7, 'user.g'],
        ['3', 'me', 7, 'user.g,user.own'],
        ['4', 'header', 7, 'user.g'],
        ['5', 'header', 8, 'user.g'],
      ],
    );
    assert.deepEqual(
      (await read(archive, 300)).map(({ entry }) => entry),
      scan(archive),
    );
  });

  it('alone is an empty archive, as git makes it', () => {
    assert.deepEqual(scan(Buffer.concat([global([['comment', 'abc']]), END])), []);
  });

  it('says nothing about holes, and has few xattrs', async () => {
    await assertRefused(Buffer.concat([global([['GNU.sparse.size', '5']]), header(), END]), 'TAR_MALFORMED');
    const many = Array.from({ length: 65 }, (_, i) => [`SCHILY.xattr.user.${i}`, 'x'] as const);
    await assertRefused(Buffer.concat([global(many), header(), END]), 'TAR_LIMIT');
  });

  it('between an entry and its own pax header is malformed', () => {
    return assertRefused(Buffer.concat([pax([['path', 'a']]), global([]), header(), END]), 'TAR_MALFORMED');
  });
});
