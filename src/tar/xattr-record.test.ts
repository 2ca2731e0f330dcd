import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertRefused, blocks, END, header, onlyEntry, pax, type RawHeader, record } from './archive.fixture.ts';
import type { TarEntry } from './entry.ts';

type Records = readonly (readonly [key: string, value: string | Buffer])[];
const withRecords = (records: Records, raw: RawHeader = {}): Buffer => Buffer.concat([pax(records), header(raw), END]);
const one = (records: Records, raw?: RawHeader): Promise<TarEntry> => onlyEntry(withRecords(records, raw));
const refused = (records: Records, code = 'TAR_MALFORMED'): Promise<void> => assertRefused(withRecords(records), code);

describe('an xattr', () => {
  const xattrs = async (records: Records) =>
    (await one(records)).xattrs.map(([name, value]) => [name, Buffer.from(value).toString('latin1')]);

  it('has any bytes for its value, none at all too', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    assert.deepEqual(
      await xattrs([
        ['SCHILY.xattr.user.b', bytes],
        ['SCHILY.xattr.user.a', ''],
      ]),
      [
        ['user.a', ''],
        ['user.b', bytes.toString('latin1')],
      ],
    );
  });

  it('is in base64 from libarchive, padded or not, under a percent-encoded name', async () => {
    assert.deepEqual(
      await xattrs([
        ['LIBARCHIVE.xattr.user.%C3%BC%3d', 'AP8'],
        ['LIBARCHIVE.xattr.user.p', 'AA=='],
      ]),
      [
        ['user.p', '\0'],
        ['user.ü=', '\0\xff'],
      ],
    );
    await refused([['LIBARCHIVE.xattr.user.a', 'A']]);
    await refused([['LIBARCHIVE.xattr.user.a', '*']]);
    await refused([['LIBARCHIVE.xattr.user.%zz', 'AA']]);
    await refused([['LIBARCHIVE.xattr.user.%ff', 'AA']], 'TAR_NAME');
  });

  it('has the percent and equals signs of its name encoded, by GNU tar', async () => {
    assert.deepEqual(await xattrs([['SCHILY.xattr.user.a%3Db%25c%41', 'v=w']]), [['user.a=b%c%41', 'v=w']]);
  });

  it('comes sorted by the bytes of its name, each once, the last of two', async () => {
    assert.deepEqual(
      await xattrs([
        ['SCHILY.xattr.user.\u{1f600}', '1'],
        ['SCHILY.xattr.user.\uffee', '2'],
        ['LIBARCHIVE.xattr.user.a', 'eA'],
        ['SCHILY.xattr.user.a', 'y'],
      ]),
      [
        ['user.a', 'y'],
        ['user.\uffee', '2'],
        ['user.\u{1f600}', '1'],
      ],
    );
  });

  it('with a name that is empty, not UTF-8 or holds a NUL is refused', async () => {
    await refused([['SCHILY.xattr.', 'x']], 'TAR_NAME');
    await refused([['SCHILY.xattr.a\0b', 'x']], 'TAR_NAME');
    const body = Buffer.from(record('SCHILY.xattr.user.~', 'x')).map((byte) => (byte === 0x7e ? 0xff : byte));
    const archive = Buffer.concat([header({ type: 'x', size: body.length }), blocks(Buffer.from(body)), header(), END]);
    await assertRefused(archive, 'TAR_NAME');
  });
});
