import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  assertRefused,
  blocks,
  END,
  GNU,
  header,
  onlyEntry,
  type RawHeader,
  read,
  scan,
  USTAR,
} from './archive.fixture.ts';
import type { TarEntry } from './entry.ts';
import { checksum } from './header.ts';

const one = (raw: RawHeader): Promise<TarEntry> => onlyEntry(Buffer.concat([header(raw), END]));
const refused = (raw: RawHeader, code = 'TAR_MALFORMED'): Promise<void> =>
  assertRefused(Buffer.concat([header(raw), END]), code);

describe('a header', () => {
  it('says everything about a file', async () => {
    const archive = Buffer.concat([
      header({ name: 'a/b', mode: '0104755\0', uid: '0001750\0', size: 5, mtime: '14524770400\0', uname: 'root' }),
      blocks('hello'),
      END,
    ]);
    assert.deepEqual(await onlyEntry(archive), {
      path: 'a/b',
      type: 'file',
      mode: 0o4755,
      uid: 1000,
      gid: 0,
      uname: 'root',
      gname: '',
      mtime: { seconds: 0o14524770400, nanoseconds: 0 },
      size: 5,
      linkTarget: undefined,
      device: undefined,
      xattrs: [],
      sparse: undefined,
      dataOffset: 512,
      storedSize: 5,
    });
    assert.equal((await read(archive))[0]?.data.toString(), 'hello');
  });

  it('has a checksum over unsigned bytes, or over signed ones as old tars wrote it', async () => {
    const unsigned = [...header({ name: Buffer.from('é') })].reduce(
      (sum, byte, i) => sum + (i < 148 || i >= 156 ? byte : 32),
      0,
    );
    const octal = (sum: number): string => `${sum.toString(8).padStart(6, '0')}\0 `;
    for (const sum of [unsigned, unsigned - 512]) {
      assert.equal((await one({ name: Buffer.from('é'), checksum: octal(sum) })).path, 'é');
    }
    for (const sum of [unsigned - 1, unsigned + 1, unsigned - 256, unsigned - 511, 0]) {
      await refused({ name: Buffer.from('é'), checksum: octal(sum) });
    }
    await refused({ checksum: '        ' });
  });

  it('has the same checksum wherever it lies in memory, full bytes too', () => {
    for (const fill of [0, 1, 0x7f, 0x80, 0xff]) {
      const expected = 504 * fill + 256;
      for (const at of [0, 1, 2, 3])
        assert.equal(checksum(new Uint8Array(600).fill(fill).subarray(at, at + 512)), expected);
    }
    const bytes = Uint8Array.from({ length: 516 }, (_, i) => (i * 7) % 256);
    const plain = bytes.subarray(4).reduce((sum, byte, i) => sum + (i < 148 || i >= 156 ? byte : 32), 0);
    assert.equal(checksum(bytes.subarray(4)), plain);
    assert.equal(checksum(Uint8Array.from([0, ...bytes.subarray(4)]).subarray(1)), plain);
  });

  it('has a prefix in ustar, a shorter one in star, and none in GNU and v7', async () => {
    assert.equal((await one({ rest: 'dir/sub' })).path, 'dir/sub/file');
    assert.equal(
      (await one({ rest: 'd'.repeat(155), name: 'n'.repeat(100) })).path,
      `${'d'.repeat(155)}/${'n'.repeat(100)}`,
    );
    const star = Buffer.alloc(167);
    star.write(`${'d'.repeat(131)}00000000000 00000000000 `);
    star.write('tar\0', 163);
    assert.equal((await one({ rest: star })).path, `${'d'.repeat(131)}/file`);
    assert.equal((await one({ rest: '00000000000', magic: GNU })).path, 'file');
    assert.equal((await one({ rest: 'dir', magic: '' })).path, 'file');
  });

  it('has no owner names in v7, whatever lies there', async () => {
    assert.equal((await one({ magic: '', uname: 'junk' })).uname, '');
    assert.equal((await one({ magic: GNU, uname: 'root' })).uname, 'root');
  });

  for (const [letter, type] of [
    ['0', 'file'],
    ['\0', 'file'],
    ['7', 'file'],
    ['5', 'directory'],
    ['D', 'directory'],
    ['6', 'fifo'],
  ] as const) {
    it(`of type ${JSON.stringify(letter)} is a ${type}`, async () => {
      const entry = await one({ type: letter });
      assert.deepEqual([entry.type, entry.linkTarget, entry.device], [type, undefined, undefined]);
    });
  }

  it('of a link has a target', async () => {
    const symlink = await one({ type: '2', link: '../a//b/' });
    assert.deepEqual([symlink.type, symlink.linkTarget], ['symlink', '../a//b/']);
    assert.equal((await one({ type: '1', link: 'l'.repeat(100) })).linkTarget, 'l'.repeat(100));
    await refused({ type: '2' }, 'TAR_NAME');
    await refused({ type: '1' }, 'TAR_NAME');
  });

  it('of a device has numbers, and no other has', async () => {
    const device = { major: '0000010\0', minor: '0000003\0' };
    assert.deepEqual((await one({ ...device, type: '3' })).device, { major: 8, minor: 3 });
    assert.deepEqual((await one({ ...device, type: '4', magic: GNU })).type, 'block');
    assert.equal((await one({ ...device, type: '0' })).device, undefined);
    await refused({ ...device, type: '3', magic: '' });
    await refused({ type: '3', major: '9' });
  });

  it('of a file whose name ends in a slash is an old directory, and has no data', async () => {
    assert.deepEqual((await one({ name: 'dir//', type: '\0', magic: '' })).type, 'directory');
    assert.equal((await one({ name: 'dir//', type: '0' })).path, 'dir');
    await refused({ name: 'dir/', type: '0', size: 1 });
  });

  it('keeps its path as it is stored but for the slashes of a directory', async () => {
    for (const path of ['./a', '/a//b', '..', '../x', 'a\\b', 'a b\n'])
      assert.equal((await one({ name: path })).path, path);
    for (const [name, path] of [
      ['./', '.'],
      ['/', '/'],
      ['a//', 'a'],
    ] as const) {
      assert.equal((await one({ name, type: '5' })).path, path);
    }
  });

  it('with a name that is not UTF-8, or with none, is refused', async () => {
    await refused({ name: Buffer.from('f\xfc', 'latin1') }, 'TAR_NAME');
    await refused({ uname: Buffer.from('\xff', 'latin1') }, 'TAR_NAME');
    await refused({ type: '2', link: Buffer.from('\xc3', 'latin1') }, 'TAR_NAME');
    await refused({ name: '' }, 'TAR_NAME');
    assert.equal((await one({ name: Buffer.from('日本') })).path, '日本');
  });

  it('has ids that Linux has', async () => {
    assert.equal((await one({ uid: Buffer.from('80000000fffffffe', 'hex') })).uid, 2 ** 32 - 2);
    for (const hex of ['80000000ffffffff', '8000000100000000', 'ffffffffffffffff']) {
      await refused({ uid: Buffer.from(hex, 'hex') });
      await refused({ gid: Buffer.from(hex, 'hex') });
    }
  });

  it('has times before 1970 in base 256', async () => {
    const mtime = Buffer.from('ffffffffffffffffffffffff', 'hex');
    assert.deepEqual((await one({ mtime })).mtime, { seconds: -1, nanoseconds: 0 });
  });

  it('with a size of 2^63, or below 0, is malformed', async () => {
    await refused({ size: Buffer.from('800000008000000000000000', 'hex') });
    await refused({ size: Buffer.from('ffffffffffffffffffffffff', 'hex') });
    await refused({ size: 'garbage' });
  });

  it('with a size beyond the end is truncated, however large', async () => {
    await refused({ size: 2 ** 33 - 1 }, 'TAR_TRUNCATED');
    await refused({ size: Buffer.from('80000000001fffffffffffff', 'hex') }, 'TAR_TRUNCATED');
  });

  for (const letter of ['M', 'N', 'A', 'E', 'I', '8', '9', 'z', '\xff']) {
    it(`of type ${JSON.stringify(letter)} is not supported`, () => refused({ type: letter }, 'TAR_UNSUPPORTED'));
  }

  it('of a sparse file is one of GNU', () => refused({ type: 'S', magic: USTAR }, 'TAR_UNSUPPORTED'));

  it('of a volume label is passed over', async () => {
    const archive = Buffer.concat([header({ type: 'V', name: 'backup', magic: GNU }), header(), END]);
    assert.equal((await onlyEntry(archive)).path, 'file');
  });
});

describe('a size in the header of what has no data', () => {
  for (const [type, magic] of [
    ['2', USTAR],
    ['3', USTAR],
    ['4', GNU],
    ['5', USTAR],
    ['5', GNU],
    ['6', USTAR],
    ['1', GNU],
    ['1', ''],
  ] as const) {
    it(`counts for nothing in type ${type} with ${JSON.stringify(magic)}`, async () => {
      const raw = header({ type, magic, link: 'file', size: 600, major: '1', minor: '3' });
      const archive = Buffer.concat([raw, header({ name: 'next' }), END]);
      assert.deepEqual(
        scan(archive).map(({ path, size }) => [path, size]),
        [
          ['file', 0],
          ['next', 0],
        ],
      );
      assert.deepEqual(
        (await read(archive)).map(({ entry }) => entry),
        scan(archive),
      );
      await assertRefused(Buffer.concat([raw, blocks('d'.repeat(600)), END]), 'TAR_MALFORMED');
    });
  }

  it('counts in a folder of a GNU dump, where names follow', async () => {
    const dump = Buffer.concat([header({ type: 'D', name: 'dir/', magic: GNU, size: 600 }), blocks('Y'.repeat(600))]);
    const archive = Buffer.concat([dump, header({ name: 'next' }), END]);
    assert.deepEqual(
      scan(archive).map(({ path, size, storedSize }) => [path, size, storedSize]),
      [
        ['dir', 0, 0],
        ['next', 0, 0],
      ],
    );
    await assertRefused(dump.subarray(0, 1024), 'TAR_TRUNCATED');
  });

  it('of a hard link in plain ustar counts when something other than a header follows', async () => {
    const link = header({ type: '1', link: 'a', size: 600 });
    for (const data of [Buffer.alloc(0), blocks('d'.repeat(600))]) {
      const archive = Buffer.concat([header({ name: 'a' }), link, data, header({ name: 'z' }), END]);
      assert.deepEqual(
        scan(archive).map(({ path }) => path),
        ['a', 'file', 'z'],
      );
      assert.deepEqual(
        (await read(archive, 100)).map(({ entry }) => entry),
        scan(archive),
      );
      assert.deepEqual(
        (await read(archive)).map(({ data: content }) => content.length),
        [0, 0, 0],
      );
    }
    for (const end of [END, Buffer.alloc(0)])
      assert.equal((await onlyEntry(Buffer.concat([link, end]))).type, 'hardlink');
    await assertRefused(Buffer.concat([link, Buffer.alloc(512, 'd')]), 'TAR_TRUNCATED');
  });
});
