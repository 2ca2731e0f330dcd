/** Archives of GNU tar, bsdtar and Python's tarfile are read as the files they were made of, and ours by all three. */
import assert from 'node:assert/strict';
import { closeSync, createReadStream, lstatSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readTar, scanTar, type TarEntry, TarWriter, type TarWriterEntry } from '../../src/tar/index.ts';
import { needs } from '../support/needs.ts';
import { must } from '../support/program.ts';
import { scratch } from '../support/scratch.ts';
import { assertHolds, BUILD, contentOf, dump, type Facts } from './tar-facts.ts';

const PYTHON_TAR = `
import os, sys, tarfile
archive, root, name = sys.argv[1:]
with tarfile.open(archive, 'w', format=getattr(tarfile, name)) as tar:
    for entry in sorted(os.listdir(root)): tar.add(os.path.join(root, entry), entry)
`;

const peers = needs('root', 'tar', 'bsdtar', 'python3');

describe('an archive', { skip: peers }, () => {
  const dir = scratch({ after });
  const trees = new Map<string, { path: string; facts: Facts }>();

  before(async () => {
    for (const level of ['v7', 'ustar', 'long', 'whole', 'full']) {
      const path = join(dir, level);
      await must('mkdir', [path]);
      await must('python3', ['-c', BUILD, path, level]);
      trees.set(level, { path, facts: await dump(path) });
    }
  });

  for (const [format, level, loss] of [
    ['v7', 'v7', { nanoseconds: true, xattrs: true }],
    ['ustar', 'ustar', { nanoseconds: true, xattrs: true }],
    ['oldgnu', 'full', { nanoseconds: true, xattrs: true }],
    ['gnu', 'full', { nanoseconds: true, xattrs: true }],
    ['posix', 'full', {}],
  ] as const) {
    it(`of GNU tar in the format ${format} is read as the files it was made of`, async () => {
      const archive = join(dir, `gnu-${format}.tar`);
      const xattrs = format === 'posix' ? ['--xattrs', '--xattrs-include=*'] : [];
      await must('tar', [`--format=${format}`, ...xattrs, '-cf', archive, '-C', path(level), '.']);
      await assertHolds(archive, facts(level), loss);
    });
  }

  for (const [format, level, loss] of [
    ['v7', 'v7', { nanoseconds: true, xattrs: true }],
    ['ustar', 'ustar', { nanoseconds: true, xattrs: true }],
    // bsdtar leaves out times before 1970 and devices with large numbers here, ...
    ['gnutar', 'long', { nanoseconds: true, xattrs: true }],
    // ... writes a time before 1970 with a fraction a second too early, ...
    ['pax', 'whole', {}],
    // ... and here a fraction only of what needs a pax header for other reasons.
    ['rpax', 'whole', { nanoseconds: true }],
  ] as const) {
    it(`of bsdtar in the format ${format} is read as the files it was made of`, async () => {
      const archive = join(dir, `bsd-${format}.tar`);
      await must('bsdtar', [`--format=${format}`, '--no-fflags', '-cf', archive, '-C', path(level), '.']);
      await assertHolds(archive, facts(level), loss);
    });
  }

  for (const [format, level] of [
    ['USTAR_FORMAT', 'ustar'],
    ['GNU_FORMAT', 'whole'], // Python rounds a time before 1970 up
    ['PAX_FORMAT', 'full'],
  ] as const) {
    it(`of Python in ${format} is read as the files it was made of`, async () => {
      const archive = join(dir, `${format}.tar`);
      await must('python3', ['-c', PYTHON_TAR, archive, path(level), format]);
      await assertHolds(archive, facts(level), { nanoseconds: true, xattrs: true });
    });
  }

  it('of another format than a copy in pax by bsdtar holds the same', async () => {
    const archive = join(dir, 'again.tar');
    await must('tar', ['--format=gnu', '-cf', join(dir, 'once.tar'), '-C', path('full'), '.']);
    await must('bsdtar', ['--format=pax', '-cf', archive, `@${join(dir, 'once.tar')}`]);
    await assertHolds(archive, facts('full'), { nanoseconds: true, xattrs: true });
  });

  const path = (level: string): string => trees.get(level)?.path ?? '';
  const facts = (level: string): Facts => trees.get(level)?.facts ?? {};
});

describe('a sparse file', { skip: peers }, () => {
  const dir = scratch({ after });
  const SIZE = 9 * 2 ** 30;
  const PARTS: readonly (readonly [offset: number, text: string])[] = [
    ...Array.from({ length: 60 }, (_, i) => [2 ** 16 * (2 * i + 1), `part ${i}`] as const),
    [SIZE - 4096, 'z'.repeat(4096)],
  ];
  before(() => {
    const fd = openSync(join(dir, 'sparse'), 'w');
    closeSync(fd);
  });
  before(async () => {
    const script = `
import json, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.truncate(fd, int(sys.argv[2]))
for offset, text in json.load(sys.stdin): os.pwrite(fd, text.encode(), offset)
`;
    await must('python3', ['-c', script, join(dir, 'sparse'), String(SIZE)], { input: JSON.stringify(PARTS) });
    await must('truncate', ['-s', '1000000', join(dir, 'hollow')]);
    await must('python3', ['-c', script, join(dir, 'edges'), '300001'], {
      input: JSON.stringify([
        [0, 'first'],
        [200_000, 'then'],
      ]),
    });
  });

  for (const [name, program, args] of [
    ['GNU tar as type S', 'tar', ['--format=gnu', '-S']],
    ['GNU tar as type S, oldgnu', 'tar', ['--format=oldgnu', '-S']],
    ['GNU tar as 0.0', 'tar', ['--format=posix', '-S', '--sparse-version=0.0']],
    ['GNU tar as 0.1', 'tar', ['--format=posix', '-S', '--sparse-version=0.1']],
    ['GNU tar as 1.0', 'tar', ['--format=posix', '-S', '--sparse-version=1.0']],
    ['bsdtar as pax', 'bsdtar', ['--format=pax']],
  ] as const) {
    it(`of ${name} keeps its size, its data and its holes`, async () => {
      const archive = join(dir, 'sparse.tar');
      await must(program, [...args, '-cf', archive, '-C', dir, 'sparse', 'hollow', 'edges'], { timeoutMs: 300_000 });
      const fd = openSync(archive, 'r');
      const entries = [...scanTar(fd)];
      assert.deepEqual(
        entries.map((entry) => [entry.path, entry.size]),
        [
          ['sparse', SIZE],
          ['hollow', 1_000_000],
          ['edges', 300_001],
        ],
      );
      for (const entry of entries) assert.ok(entry.storedSize < 2 ** 20, `${entry.path} ${entry.storedSize}`);
      const [sparse, hollow, edges] = entries;
      assert.ok(sparse !== undefined && hollow !== undefined && edges !== undefined);
      for (const [offset, text] of PARTS) assert.equal(piece(fd, sparse, offset, text.length), text);
      assert.equal(piece(fd, sparse, 2 ** 30, 10), '\0'.repeat(10));
      assert.deepEqual([hollow.sparse, hollow.storedSize], [[], 0]);
      closeSync(fd);
      for await (const entry of readTar(createReadStream(archive))) {
        if (entry.path === 'sparse') continue;
        assert.deepEqual(await contentOf(entry.data()), readFileSync(join(dir, entry.path)));
      }
    });
  }

  /** A piece of the file by the map alone, as workers read it. */
  function piece(fd: number, entry: TarEntry, offset: number, length: number): string {
    let at = entry.dataOffset;
    const bytes = Buffer.alloc(length);
    for (const part of entry.sparse ?? []) {
      const from = offset - part.offset;
      if (from >= 0 && from < part.length) readSync(fd, bytes, 0, Math.min(length, part.length - from), at + from);
      at += part.length;
    }
    return bytes.toString('latin1');
  }
});

describe('an archive of ours', { skip: peers }, () => {
  const dir = scratch({ after });
  const archive = join(dir, 'ours.tar');
  const long = `${'d'.repeat(200)}/${'e'.repeat(200)}`;
  const common = { mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 1_700_000_000, nanoseconds: 123_456_700 } };
  const folder = { ...common, type: 'directory', mode: 0o755 } as const;
  const binary = Uint8Array.from({ length: 256 }, (_, i) => i);
  const entries: readonly (readonly [TarWriterEntry, string?])[] = [
    [{ ...folder, path: 'dir', mode: 0o1777, xattrs: [['trusted.overlay.opaque', Buffer.from('y')]] }],
    [{ ...common, path: 'dir/plain', type: 'file', mode: 0o4755, uid: 1234, gid: 5678 }, 'content'],
    [{ ...common, path: 'empty', type: 'file', mtime: { seconds: 0, nanoseconds: 0 } }],
    [{ ...common, path: 'block', type: 'file' }, 'b'.repeat(1024)],
    [{ ...folder, path: 'd'.repeat(200) }],
    [{ ...common, path: long, type: 'file' }, 'long'],
    [{ ...folder, path: 'Ünïcode' }],
    [{ ...common, path: 'Ünïcode/日本語', type: 'file', uname: 'jürgen', gname: 'g'.repeat(40) }, 'Grüße'],
    [{ ...common, path: 'nobody', type: 'file', uid: 4_294_967_294, gid: 3_000_000_000 }],
    [{ ...common, path: 'old', type: 'file', mtime: { seconds: -86_400, nanoseconds: 0 } }],
    [
      {
        ...common,
        path: 'attributes',
        type: 'file',
        xattrs: [
          ['user.z', binary],
          ['user.a', Buffer.from('1\n2=\n')],
          ['user.empty', Buffer.alloc(0)],
        ],
      },
    ],
    [{ ...common, path: 'link', type: 'symlink', mode: 0o777, linkTarget: 'dir/plain' }],
    [{ ...common, path: 'far', type: 'symlink', mode: 0o777, linkTarget: 'ü'.repeat(150) }],
    [{ ...common, path: 'hard', type: 'hardlink', linkTarget: long }],
    [{ ...common, path: 'pipe', type: 'fifo' }],
    [{ ...common, path: 'char', type: 'character', device: { major: 1, minor: 3 } }],
    [{ ...common, path: 'disk', type: 'block', device: { major: 259, minor: 1_048_575 } }],
  ];

  before(async () => {
    const chunks: Uint8Array[] = [];
    const writer = new TarWriter((chunk) => void chunks.push(chunk));
    for (const [entry, text] of entries) await writer.add(entry, Buffer.from(text ?? ''));
    await writer.finish();
    writeFileSync(archive, Buffer.concat(chunks));
  });

  for (const [name, program, args, loss] of [
    ['GNU tar', 'tar', ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', 'ARCHIVE', '-C', 'OUT'], {}],
    ['bsdtar', 'bsdtar', ['--numeric-owner', '-xpf', 'ARCHIVE', '-C', 'OUT'], {}],
    [
      'Python',
      'python3',
      [
        '-c',
        'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2], numeric_owner=True)',
        'ARCHIVE',
        'OUT',
      ],
      { nanoseconds: true, xattrs: true, symlinkTimes: true },
    ],
  ] as const) {
    it(`is unpacked by ${name} to the files that were meant`, async () => {
      const out = join(dir, program);
      await must('mkdir', [out]);
      const ended = await must(
        program,
        args.map((word) => (word === 'ARCHIVE' ? archive : word === 'OUT' ? out : word)),
      );
      assert.equal(ended.stderr.replace(/^.* implausibly old time stamp .*\n/gm, ''), '');
      await assertHolds(archive, await dump(out), loss);
    });
  }

  it('has times before 1970 with a fraction, as GNU tar reads them', async () => {
    const chunks: Uint8Array[] = [];
    const writer = new TarWriter((chunk) => void chunks.push(chunk));
    const mtime = { seconds: -2, nanoseconds: 500_000_000 };
    await writer.add({ path: 'old', type: 'file', mode: 0o644, uid: 0, gid: 0, mtime });
    await writer.finish();
    await must('tar', ['-xf', '-', '-C', dir], { input: Buffer.concat(chunks) }); // its listing shows another time
    assert.equal(lstatSync(join(dir, 'old'), { bigint: true }).mtimeNs, -1_500_000_000n);
  });

  it('is listed by all three with the same paths', async () => {
    const paths = entries.map(([{ path, type }]) => (type === 'directory' ? `${path}/` : path));
    const python =
      'import sys, tarfile\nfor m in tarfile.open(sys.argv[1]): print(m.name + ("/" if m.isdir() else ""))';
    for (const [program, args] of [
      ['tar', ['--quoting-style=literal', '-tf', archive]],
      ['bsdtar', ['-tf', archive]],
      ['python3', ['-c', python, archive]],
    ] as const) {
      assert.deepEqual((await must(program, args)).stdout.trimEnd().split('\n'), paths, program);
    }
  });
});
