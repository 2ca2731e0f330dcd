import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commitTreeOf, newRepository, SIGNAL, treeOf } from '../packing.fixture.ts';
import { parseApkInstalled } from './apk.ts';
import { readPackages } from './read-packages.ts';

/** Two packages as Alpine 3.19 has them, shortened. */
const INSTALLED = `C:Q1+V0hPuVWBhHqMtD5DDdl3zPoFI4=
P:musl
V:1.2.4_git20230717-r4
A:x86_64
S:407278
I:667648
T:the musl c library (libc) implementation
U:https://musl.libc.org/
L:MIT
o:musl
m:Timo Teras <timo.teras@iki.fi>
t:1700656393
c:ca7f2ab5e88794e4e654b40776f8a92256f50639
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1yVmhqPgzEMLzVkkLUoJg6TeRZBk=
R:libc.musl-x86_64.so.1
a:0:0:777
Z:Q17yJ3JFNypA4mxhJJr0ou6CzsJVI=

C:Q1pvJFf2KuFGXoTYTOmHbFN4ZCrDo=
P:alpine-baselayout
V:3.4.3-r2
A:x86_64
o:baselayout
t:1696584303
F:
R:.hidden
F:etc
M:0:0:755
R:fstab
Z:Q11Q7hNe8QpDS531guqCdrXBzoA/o=
F:etc/opt
F:root
M:0:0:700

`;

describe('the list of packages of apk', () => {
  it('names the packages, their sources, when they were built, and their files', () => {
    assert.deepEqual(parseApkInstalled(INSTALLED, 'installed'), [
      {
        name: 'musl',
        identifier: 'musl-1.2.4_git20230717-r4',
        source: 'musl',
        changeTimes: [1_700_656_393],
        paths: ['/lib/ld-musl-x86_64.so.1', '/lib/libc.musl-x86_64.so.1'],
      },
      {
        name: 'alpine-baselayout',
        identifier: 'alpine-baselayout-3.4.3-r2',
        source: 'baselayout',
        changeTimes: [1_696_584_303],
        paths: ['/.hidden', '/etc/fstab'],
      },
    ]);
  });

  it('may be empty, and need not end in a blank line', () => {
    assert.deepEqual(parseApkInstalled('', 'installed'), []);
    assert.equal(parseApkInstalled('P:a\nV:1', 'installed')[0]?.source, 'a');
  });

  for (const [flaw, text] of [
    ['a line of another kind', 'P:a\nV:1\nhello\n'],
    ['no name', 'V:1\n'],
    ['a name with a comma', 'P:a,b\nV:1\n'],
    ['no version', 'P:a\n'],
    ['a version with blanks', 'P:a\nV:1 2\n'],
    ['two names', 'P:a\nP:b\nV:1\n'],
    ['a file before any folder', 'P:a\nV:1\nR:file\n'],
    ['a file with a slash', 'P:a\nV:1\nF:etc\nR:a/b\n'],
    ['a file without a name', 'P:a\nV:1\nF:etc\nR:\n'],
    ['more packages than any system has', 'P:a\nV:1\n\n'.repeat(200_001)],
  ] as const) {
    it(`is refused with ${flaw}`, () => {
      assert.throws(() => parseApkInstalled(text, 'installed'), { code: 'PACKAGE_DATABASE' });
    });
  }

  it('gives packages or an error wherever it is cut off', () => {
    for (let end = 0; end < INSTALLED.length; end++) {
      try {
        assert.ok(parseApkInstalled(INSTALLED.slice(0, end), 'installed').length <= 2);
      } catch (error) {
        assert.equal((error as { code?: unknown }).code, 'PACKAGE_DATABASE');
      }
    }
  });

  for (const path of ['lib/apk/db/installed', 'usr/lib/apk/db/installed']) {
    it(`is found at /${path}, once`, async (t) => {
      const link = path.startsWith('usr') ? { lib: { target: 'usr/lib' } } : {};
      const tree = await commitTreeOf(newRepository(t), { ...treeOf({ [path]: INSTALLED }), ...link });
      const { databases } = await readPackages(tree, SIGNAL);
      assert.deepEqual(
        databases.map(({ kind, path: at, packages }) => [kind, at, packages.length]),
        [['apk', `/${path}`, 2]],
      );
    });
  }

  it('has no file in a folder whose name is longer than any path, and is refused with too many files', () => {
    const begin = 'P:one\nV:1\n';
    const [long] = parseApkInstalled(`${begin}F:${'x'.repeat(4096)}\nR:a\nF:usr\nR:b\n\n`, 'installed');
    assert.deepEqual(long?.paths, ['/usr/b']);
    const many = `${begin}F:usr\n${'R:a\n'.repeat(1_500_000)}\n`;
    assert.throws(() => parseApkInstalled(many + many, 'installed'), { code: 'PACKAGE_DATABASE' });
  });
});
