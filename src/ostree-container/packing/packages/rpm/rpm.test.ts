import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../../../test/support/needs.ts';
import { scratch } from '../../../../../test/support/scratch.ts';
import { commitTreeOf, type MadeTree, newRepository, run, SIGNAL, treeOf, treeOnDisk } from '../../packing.fixture.ts';
import { readPackages } from '../read-packages.ts';
import { databaseOf, headerOf, insertion, PACKAGE, TABLE } from './rpm.fixture.ts';

const SPEC = `Name: hello
Version: 1.0
Release: 3
Summary: a test
License: MIT
BuildArch: noarch
%description
A test.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc
echo hi > %{buildroot}/usr/bin/hello
ln -s hello %{buildroot}/usr/bin/hi
echo conf > %{buildroot}/etc/hello.conf
%files
/usr/bin/hello
/usr/bin/hi
%config /etc/hello.conf
%ghost /var/cache/hello
%changelog
* Mon Jan 05 2026 A B <a@example.org> - 1.0-3
- third
* Thu Jan 01 2026 A B <a@example.org> - 1.0-2
- second
`;

/** Built and installed by rpm below `root`. */
function install(work: string): void {
  writeFileSync(join(work, 'hello.spec'), SPEC);
  const own = ['--define', `_topdir ${work}/top`, '--define', 'use_source_date_epoch_as_buildtime 1'];
  run('rpmbuild', [...own, '-bb', 'hello.spec'], work);
  mkdirSync(join(work, 'root'));
  const at = ['--root', join(work, 'root'), '--dbpath', '/usr/lib/sysimage/rpm'];
  run('rpm', [...at, '-i', '--nodeps', '--noscripts', 'top/RPMS/noarch/hello-1.0-3.noarch.rpm'], work);
}

const found = async (t: Parameters<typeof newRepository>[0], tree: MadeTree) =>
  readPackages(await commitTreeOf(newRepository(t), tree), SIGNAL);

describe('a database that rpm made', { skip: needs('rpm', 'rpmbuild', 'root') }, () => {
  it('tells the packages, their sources, their changes and their files', async (t) => {
    const work = scratch(t);
    install(work);
    const file = readFileSync(join(work, 'root/usr/lib/sysimage/rpm/rpmdb.sqlite'));
    assert.equal(file[18], 2); // it was made with a write-ahead log, as rpm does
    const { databases, unread } = await found(t, treeOnDisk(join(work, 'root')));
    assert.deepEqual(unread, []);
    const [database] = databases;
    assert.deepEqual([database?.kind, database?.path], ['rpm', '/usr/lib/sysimage/rpm/rpmdb.sqlite']);
    assert.deepEqual(database?.packages, [
      {
        name: 'hello',
        identifier: 'hello-1.0-3.noarch',
        source: 'hello',
        changeTimes: [1_767_700_000, 1_767_268_800],
        paths: ['/etc/hello.conf', '/usr/bin/hello', '/usr/bin/hi'],
      },
    ]);
  });
});

describe('the databases of rpm in a commit', () => {
  for (const folder of ['usr/lib/sysimage/rpm', 'usr/share/rpm', 'var/lib/rpm']) {
    it(`are found in ${folder}`, async (t) => {
      const file = await databaseOf(TABLE, insertion(headerOf(PACKAGE)));
      const { databases } = await found(t, treeOf({ [`${folder}/rpmdb.sqlite`]: file }));
      assert.deepEqual(
        databases.map(({ path, packages }) => [path, packages.length]),
        [[`/${folder}/rpmdb.sqlite`, 1]],
      );
    });
  }

  it('are read once where they are at several paths', async (t) => {
    const file = await databaseOf(TABLE, insertion(headerOf(PACKAGE)));
    const copies = { 'usr/share/rpm/rpmdb.sqlite': file, 'usr/lib/sysimage/rpm': { target: '../../share/rpm' } };
    const { databases } = await found(t, treeOf({ ...copies, 'var/lib/rpm/rpmdb.sqlite': file }));
    assert.equal(databases.length, 1);
  });

  it('are named where they are of a kind that is not read', async (t) => {
    const { databases, unread } = await found(
      t,
      treeOf({ 'usr/lib/sysimage/rpm/Packages.db': 'ndb', 'var/lib/rpm/Packages': 'bdb' }),
    );
    assert.deepEqual(databases, []);
    assert.deepEqual(
      unread.map(({ path }) => path),
      ['/usr/lib/sysimage/rpm/Packages.db', '/var/lib/rpm/Packages'],
    );
    assert.match(unread.map(({ reason }) => reason).join(), /"ndb".*"bdb"/);
  });

  it('are named where changes wait in a log', async (t) => {
    const file = await databaseOf(TABLE, insertion(headerOf(PACKAGE)));
    const tree = treeOf({ 'usr/share/rpm/rpmdb.sqlite': file, 'usr/share/rpm/rpmdb.sqlite-wal': 'changes' });
    const { databases, unread } = await found(t, tree);
    assert.deepEqual([databases.length, unread[0]?.path], [0, '/usr/share/rpm/rpmdb.sqlite']);
  });

  it('are refused when they are damaged', async (t) => {
    const tree = treeOf({ 'usr/share/rpm/rpmdb.sqlite': 'not a database' });
    await assert.rejects(found(t, tree), { code: 'PACKAGE_DATABASE' });
  });
});
