import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { needs } from '../../../../test/support/needs.ts';
import { scratch } from '../../../../test/support/scratch.ts';
import { commitTreeOf, type MadeTree, newRepository, run, SIGNAL, treeOf, treeOnDisk } from '../packing.fixture.ts';
import { parseChangelogTimes } from './dpkg-changelog.ts';
import { parseDpkgStatus } from './dpkg-status.ts';
import type { PackageDatabase } from './package.ts';
import { readPackages } from './read-packages.ts';

type Test = Parameters<typeof newRepository>[0];

async function databasesIn(t: Test, tree: MadeTree): Promise<readonly PackageDatabase[]> {
  return (await readPackages(await commitTreeOf(newRepository(t), tree), SIGNAL)).databases;
}

function paragraph(fields: Readonly<Record<string, string>>): string {
  const all = { Package: 'tool', Status: 'install ok installed', Architecture: 'amd64', Version: '1.0-1', ...fields };
  return `${Object.entries(all)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')}\n`;
}

/** Packed and installed by dpkg below `root`. */
function install(
  work: string,
  control: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
): void {
  const folder = join(work, `${control['Package']}-${control['Architecture']}`);
  const all = { Maintainer: 'A B <a@example.org>', Description: 'a test', Version: '1.0-1', ...control };
  const text = Object.entries(all).map(([key, value]) => `${key}: ${value}\n`);
  for (const [path, content] of Object.entries({ ...files, 'DEBIAN/control': text.join('') })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  run('dpkg-deb', ['--root-owner-group', '-b', folder, `${folder}.deb`], work);
  const options = ['--force-not-root', '--force-architecture', '--force-depends', '--force-script-chrootless'];
  run('dpkg', [`--root=${join(work, 'root')}`, ...options, '-i', `${folder}.deb`], work);
}

describe('a database that dpkg made', { skip: needs('dpkg', 'dpkg-deb') }, () => {
  it('tells the packages, their sources, and their files by their names in /usr', async (t) => {
    const work = scratch(t);
    mkdirSync(join(work, 'root/usr/bin'), { recursive: true });
    run('ln', ['-s', 'usr/bin', join(work, 'root/bin')], work);
    install(
      work,
      { Package: 'tool', Architecture: 'all', Source: 'tools (0.9)' },
      { 'bin/tool': 't', 'etc/tool': 'c' },
    );
    for (const Architecture of ['amd64', 'i386']) {
      const control = { Package: 'libx', Architecture, 'Multi-Arch': 'same' };
      install(work, control, {
        [`usr/lib/${Architecture}/libx.so`]: Architecture,
        'usr/share/doc/libx/copyright': 'same',
      });
    }
    const tree = await commitTreeOf(newRepository(t), treeOnDisk(join(work, 'root')));
    const [database] = (await readPackages(tree, SIGNAL)).databases;
    assert.deepEqual([database?.kind, database?.path], ['dpkg', '/var/lib/dpkg']);
    const packages = [...(database?.packages ?? [])].sort((a, b) => (a.identifier < b.identifier ? -1 : 1));
    assert.deepEqual(
      packages.map(({ name, identifier, source }) => [name, identifier, source]),
      [
        ['libx', 'libx_1.0-1_amd64', 'libx'],
        ['libx:i386', 'libx_1.0-1_i386', 'libx'],
        ['tool', 'tool_1.0-1_all', 'tools'],
      ],
    );
    const files = packages.map(({ paths }) => paths.filter((path) => tree.file(path) !== undefined));
    const info = (name: string): string[] => [`/var/lib/dpkg/info/${name}.list`, `/var/lib/dpkg/info/${name}.md5sums`];
    assert.deepEqual(
      files.map((paths) => [...paths].sort()),
      [
        ['/usr/lib/amd64/libx.so', '/usr/share/doc/libx/copyright', ...info('libx:amd64')],
        ['/usr/lib/i386/libx.so', '/usr/share/doc/libx/copyright', ...info('libx:i386')],
        ['/bin', '/bin/tool', '/etc/tool', ...info('tool')],
      ],
    );
  });
});

describe('a dpkg database in a commit', () => {
  for (const folder of ['var/lib/dpkg', 'usr/lib/sysimage/dpkg', 'usr/share/factory/var/lib/dpkg']) {
    it(`is found in ${folder}`, async (t) => {
      const [database] = await databasesIn(t, treeOf({ [`${folder}/status`]: paragraph({}) }));
      assert.deepEqual([database?.path, database?.packages.length], [`/${folder}`, 1]);
    });
  }

  it('is read once, however many links lead to it', async (t) => {
    const databases = await databasesIn(
      t,
      treeOf({
        'usr/lib/sysimage/dpkg/status': paragraph({}),
        'var/lib/dpkg': { target: '../../usr/lib/sysimage/dpkg' },
      }),
    );
    assert.deepEqual(
      databases.map(({ path }) => path),
      ['/usr/lib/sysimage/dpkg'],
    );
  });

  it('of an older version has no architectures in the names of its lists', async (t) => {
    const status = paragraph({ 'Multi-Arch': 'same' });
    const files = { 'var/lib/dpkg/status': status, 'var/lib/dpkg/info/tool.list': '/.\n/usr\n/usr/tool\n' };
    const [database] = await databasesIn(t, treeOf(files));
    assert.deepEqual(database?.packages[0]?.paths, ['/.', '/usr', '/usr/tool', '/var/lib/dpkg/info/tool.list']);
  });

  it('has a file that was diverted under its new name, for all packages but the one that diverted it', async (t) => {
    const status = paragraph({}) + paragraph({ Package: 'other' });
    const list = '/usr/bin/x\n';
    const [database] = await databasesIn(
      t,
      treeOf({
        'var/lib/dpkg/status': status,
        'var/lib/dpkg/diversions': '/usr/bin/x\n/usr/bin/x.real\nother\n',
        'var/lib/dpkg/info/tool.list': list,
        'var/lib/dpkg/info/other.list': list,
      }),
    );
    assert.deepEqual(
      database?.packages.map(({ paths }) => paths[0]),
      ['/usr/bin/x.real', '/usr/bin/x'],
    );
  });

  it('counts a name that is no UTF-8 as one that no commit has', async (t) => {
    const list = Buffer.from('/usr/caf\xe9\n/usr/b\n', 'latin1');
    const files = { 'var/lib/dpkg/status': paragraph({}), 'var/lib/dpkg/info/tool.list': list };
    const [database] = await databasesIn(t, treeOf(files));
    assert.deepEqual(database?.packages[0]?.paths.slice(0, 2), ['/usr/caf\ufffd', '/usr/b']);
  });

  it('is refused with diversions that are cut off', async (t) => {
    const files = { 'var/lib/dpkg/status': paragraph({}), 'var/lib/dpkg/diversions': '/usr/bin/x\n/usr/bin/x.real\n' };
    await assert.rejects(databasesIn(t, treeOf(files)), { code: 'PACKAGE_DATABASE' });
  });

  it('is refused with lists of more paths than any system has', async (t) => {
    const files = { 'var/lib/dpkg/status': paragraph({}), 'var/lib/dpkg/info/tool.list': '/a\n'.repeat(2_000_001) };
    await assert.rejects(databasesIn(t, treeOf(files)), { code: 'PACKAGE_DATABASE' });
  });

  it('is refused when one list is huge', async (t) => {
    const files = { 'var/lib/dpkg/status': paragraph({}), 'var/lib/dpkg/info/tool.list': Buffer.alloc(33 * 2 ** 20) };
    await assert.rejects(databasesIn(t, treeOf(files)), { code: 'TOO_LARGE' });
  });
});

describe('the status of dpkg', () => {
  it('names what has files on the disk, whatever the case of the fields', () => {
    const text =
      paragraph({}) +
      paragraph({ Package: 'gone', Status: 'deinstall ok config-files' }) +
      paragraph({ Package: 'half', Status: 'install ok half-configured', Conffiles: '\n /etc/half 0123\n' }) +
      'PACKAGE: loud\nSTATUS: hold ok installed\nARCHITECTURE: all\nVERSION: 2:1.0~rc1+b1\n';
    assert.deepEqual(
      parseDpkgStatus(text, 'status').map(({ name }) => name),
      ['tool', 'half', 'loud'],
    );
  });

  for (const [flaw, text] of [
    ['a line without a colon', 'Package tool\n'],
    ['a field twice', paragraph({ package: 'x' })],
    ['no name', paragraph({ Package: '' })],
    ['a name with a comma', paragraph({ Package: 'a,b' })],
    ['a name that leads elsewhere', paragraph({ Package: '../a' })],
    ['no version', paragraph({ Version: '' })],
    ['a version that colours the terminal', paragraph({ Version: '1\u001b[31m' })],
    ['no architecture', paragraph({ Architecture: '' })],
    ['no text at all', '\0\0\0\0'],
    ['more packages than any system has', paragraph({}).repeat(200_001)],
  ] as const) {
    it(`is refused with ${flaw}`, () => {
      assert.throws(() => parseDpkgStatus(text, 'status'), { code: 'PACKAGE_DATABASE' });
    });
  }

  it('gives packages or an error wherever it is cut off', () => {
    const text = paragraph({ Source: 's' }) + paragraph({ Package: 'b' });
    for (let end = 0; end < text.length; end++) {
      try {
        assert.ok(parseDpkgStatus(text.slice(0, end), 'status').length <= 2);
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'PACKAGE_DATABASE');
      }
    }
  });
});

describe('the changelog of a Debian package', () => {
  const entry = (date: string): string =>
    `tool (1) unstable; urgency=low\n\n  * text\n\n -- A B <a@b.org>  ${date}\n\n`;

  it('tells when it changed, newest first, in any zone', () => {
    const text = [
      entry('Mon, 05 Jan 2026 10:00:00 +0100'),
      entry('Tue, 6 Jan 2026 09:30:00 -0030'),
      ' -- no date\n',
    ].join('');
    const times = ['2026-01-06T10:00:00Z', '2026-01-05T09:00:00Z'].map((time) => Date.parse(time) / 1000);
    assert.deepEqual(parseChangelogTimes(text), times);
  });

  it('is found through links, and taken for a document where it is none', async (t) => {
    const changelog = gzipSync(entry('Mon, 05 Jan 2026 10:00:00 +0000'));
    const names = ['one', 'two', 'three', 'four', 'five'];
    const [database] = await databasesIn(
      t,
      treeOf({
        'var/lib/dpkg/status': names.map((Package) => paragraph({ Package })).join(''),
        'usr/share/doc/one/changelog.Debian.gz': changelog,
        'usr/share/doc/two': { target: 'one' },
        'usr/share/doc/three/changelog.Debian.gz': { target: 'changelog.gz' },
        'usr/share/doc/three/changelog.gz': gzipSync(entry('Tue, 06 Jan 2026 10:00:00 +0000')),
        // The same link as in `three`: one object, which leads elsewhere.
        'usr/share/doc/five/changelog.Debian.gz': { target: 'changelog.gz' },
        'usr/share/doc/five/changelog.gz': changelog,
        'usr/share/doc/four/changelog.Debian.gz': changelog.subarray(0, 30),
      }),
    );
    const [first, second] = [1_767_607_200, 1_767_693_600];
    assert.deepEqual(
      database?.packages.map(({ changeTimes }) => changeTimes),
      [[first], [first], [second], [], [first]],
    );
  });

  it('is read at its beginning only', async (t) => {
    const padding = 'x'.repeat(300 * 2 ** 10);
    const changelog = gzipSync(
      entry('Mon, 05 Jan 2026 10:00:00 +0000') + padding + entry('Thu, 01 Jan 2026 10:00:00 +0000'),
    );
    const files = { 'var/lib/dpkg/status': paragraph({}), 'usr/share/doc/tool/changelog.gz': changelog };
    const [database] = await databasesIn(t, treeOf(files));
    assert.deepEqual(database?.packages[0]?.changeTimes, [1_767_607_200]);
  });
});
