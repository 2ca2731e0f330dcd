import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import {
  change,
  type HostFiles,
  imageOf,
  NO_RULES,
  placesAt,
  plan,
  recorder,
  snapshot,
  write,
} from './host-files.fixture.ts';
import { copyStep, hostFilesOf } from './index.ts';
import { sha256Of } from './on-disk.ts';

const ETCD: HostFiles = {
  'etc/etcd/etcd.conf': { content: 'NAME=default\n', mode: 0o640, uid: 7, gid: 8 },
  'usr/local/bin/etcdctl': { content: 'program', mode: 0o755 },
};
const NEXT: HostFiles = { ...ETCD, 'etc/etcd/etcd.conf': { content: 'NAME=second\n', mode: 0o644 } };

function host(t: TestContext) {
  const root = scratch(t);
  fs.chmodSync(root, 0o755);
  return { root, places: placesAt(root) };
}
const read = (root: string, path: string): string => fs.readFileSync(join(root, path), 'utf8');

describe('host files', { skip: needs('root') }, () => {
  it('are copied in the order of their paths, with content, mode and owner, and recorded', async (t) => {
    const { root, places } = host(t);
    write(root, { 'etc/passwd': '' });
    const { log, plan: made } = await change({ places, tree: imageOf(ETCD), previous: undefined });
    assert.deepEqual(log, ['copied /etc/etcd/etcd.conf', 'copied /usr/local/bin/etcdctl']);
    assert.deepEqual(log, made.lines);
    assert.deepEqual(snapshot(root), {
      '/etc/': '755 0:0',
      '/etc/etcd/': '755 0:0',
      '/etc/etcd/etcd.conf': '640 7:8 NAME=default\n',
      '/etc/passwd': '644 0:0 ',
      '/usr/': '755 0:0',
      '/usr/local/': '755 0:0',
      '/usr/local/bin/': '755 0:0',
      '/usr/local/bin/etcdctl': '755 0:0 program',
    });
    assert.deepEqual(made.installed.installedFiles, ['/etc/etcd/etcd.conf', '/usr/local/bin/etcdctl']);
    assert.equal(made.installed.checksums.get('/etc/etcd/etcd.conf'), sha256Of('NAME=default\n'));
    assert.deepEqual(made.installed.installedDirectories, ['/etc/etcd', '/usr', '/usr/local', '/usr/local/bin']);
  });

  it('are planned without a touch', async (t) => {
    const { root, places } = host(t);
    const { bytes } = await plan({ places, tree: imageOf(ETCD), previous: undefined });
    assert.equal(bytes, 'NAME=default\nprogram'.length);
    assert.deepEqual(snapshot(root), {});
  });

  it('that are there already are left alone, are said to be there and are not recorded, even when they are the same', async (t) => {
    const { root, places } = host(t);
    write(root, { 'etc/etcd/etcd.conf': 'NAME=default\n' });
    const { log, plan: made } = await change({ places, tree: imageOf(ETCD), previous: undefined });
    assert.deepEqual(log, ['! File /etc/etcd/etcd.conf already exists', 'copied /usr/local/bin/etcdctl']);
    assert.deepEqual(made.conflicts, ['File /etc/etcd/etcd.conf already exists']);
    assert.deepEqual(made.installed.installedFiles, ['/usr/local/bin/etcdctl']);
    await change({ places, previous: made.installed });
    assert.deepEqual(Object.keys(snapshot(root)), ['/etc/', '/etc/etcd/', '/etc/etcd/etcd.conf']);
  });

  it('are gone after the removal, with the directories that were made for them and no others', async (t) => {
    const { root, places } = host(t);
    write(root, { 'etc/passwd': 'root', 'usr/local/README': '' });
    const before = snapshot(root);
    const first = await change({ places, tree: imageOf(ETCD), previous: undefined });
    const { log } = await change({ places, previous: first.plan.installed });
    assert.deepEqual(log, ['file /etc/etcd/etcd.conf deleted', 'file /usr/local/bin/etcdctl deleted']);
    assert.deepEqual(snapshot(root), before);
  });

  it('keep a directory in which something else lies', async (t) => {
    const { root, places } = host(t);
    const first = await change({ places, tree: imageOf(ETCD), previous: undefined });
    write(root, { 'etc/etcd/mine': 'x' });
    await change({ places, previous: first.plan.installed });
    assert.deepEqual(Object.keys(snapshot(root)), ['/etc/', '/etc/etcd/', '/etc/etcd/mine']);
  });

  it('say both lines of an update for all of them, and rewrite those alone that change', async (t) => {
    const { root, places } = host(t);
    const first = await change({ places, tree: imageOf(ETCD), previous: undefined });
    const same = fs.lstatSync(join(root, 'usr/local/bin/etcdctl'));
    const { log } = await change({ places, tree: imageOf(NEXT), previous: first.plan.installed });
    assert.deepEqual(log, [
      'file /etc/etcd/etcd.conf deleted',
      'file /usr/local/bin/etcdctl deleted',
      'copied /etc/etcd/etcd.conf',
      'copied /usr/local/bin/etcdctl',
    ]);
    assert.equal(snapshot(root)['/etc/etcd/etcd.conf'], '644 0:0 NAME=second\n');
    const { ino, ctimeMs } = fs.lstatSync(join(root, 'usr/local/bin/etcdctl'));
    assert.deepEqual([ino, ctimeMs], [same.ino, same.ctimeMs]);
  });

  it('of the same content get the mode of the new version', async (t) => {
    const { root, places } = host(t);
    const first = await change({ places, tree: imageOf({ 'etc/a': 'a' }), previous: undefined });
    const tree = imageOf({ 'etc/a': { content: 'a', mode: 0o600, uid: 5 } });
    await change({ places, tree, previous: first.plan.installed });
    assert.equal(snapshot(root)['/etc/a'], '600 5:0 a');
  });

  it('that the new version lacks go, and those that are gone come back', async (t) => {
    const { root, places } = host(t);
    const first = await change({ places, tree: imageOf({ 'etc/a': 'a', 'etc/b': 'b' }), previous: undefined });
    fs.unlinkSync(join(root, 'etc/b'));
    const { log, plan: made } = await change({
      places,
      tree: imageOf({ 'etc/b': 'b' }),
      previous: first.plan.installed,
    });
    assert.deepEqual(log, ['file /etc/a deleted', 'copied /etc/b']);
    assert.deepEqual([made.gone, Object.keys(snapshot(root))], [['/etc/b'], ['/etc/', '/etc/b']]);
  });

  it('that somebody else writes between the plan and the copy are left alone', async (t) => {
    const { root, places } = host(t);
    const tree = imageOf({ 'etc/a': 'a' });
    const made = await plan({ places, tree, previous: undefined });
    write(root, { 'etc/a': 'other' });
    fs.rmSync(join(root, 'etc'), { recursive: true });
    write(root, { 'etc/a': 'other' });
    const { log, lines } = recorder();
    await copyStep(made, tree, log);
    assert.deepEqual([lines, read(root, 'etc/a')], [['! File /etc/a already exists'], 'other']);
  });

  it('that are links are made as they are, whether they lead somewhere or not, and recorded by their text', async (t) => {
    const { root, places } = host(t);
    const tree = imageOf({ 'usr/bin/x': { target: '../nowhere', uid: 3, gid: 4 } });
    const { plan: made } = await change({ places, tree, previous: undefined });
    assert.equal(snapshot(root)['/usr/bin/x'], '3:4 -> ../nowhere');
    assert.equal(made.installed.checksums.get('/usr/bin/x'), sha256Of('../nowhere'));
    await change({ places, previous: made.installed });
    assert.deepEqual(snapshot(root), {});
  });

  it('that are links recorded with "0", as an earlier program did, are taken away', async (t) => {
    const { root, places } = host(t);
    write(root, { 'etc/a': '' });
    fs.symlinkSync('a', join(root, 'etc/l'));
    const previous = { installedFiles: ['/etc/l'], checksums: new Map([['/etc/l', '0']]) };
    const { log } = await change({ places, previous: { ...NOTHING, ...previous } });
    assert.deepEqual(log, ['file /etc/l deleted']);
  });

  it('that no digest was recorded for are not deleted', async (t) => {
    const { root, places } = host(t);
    write(root, { 'etc/a': 'a' });
    const { log, plan: made } = await change({ places, previous: { ...NOTHING, installedFiles: ['/etc/a'] } });
    assert.deepEqual(log, ['file /etc/a was modified.  Skip.']);
    assert.deepEqual([made.kept, read(root, 'etc/a')], [['/etc/a'], 'a']);
  });

  it('with a path in the record that is none are not deleted, and that is said', async (t) => {
    const { places } = host(t);
    const { log, failed } = await change({ places, previous: { ...NOTHING, installedFiles: ['../../etc/passwd'] } });
    assert.deepEqual(log, ['! could not delete ../../etc/passwd: not a path of a host']);
    assert.deepEqual(failed, ['../../etc/passwd']);
  });

  it('that cannot be deleted stay, and the others go all the same', async (t) => {
    const { root, places } = host(t);
    const first = await change({ places, tree: imageOf({ 'etc/a/f': 'a', 'etc/b': 'b' }), previous: undefined });
    fs.chownSync(join(root, 'etc/a'), 12, 12);
    const { log, failed } = await change({ places, previous: first.plan.installed });
    assert.match(log[0] ?? '', /^! could not delete \/etc\/a\/f: .*owned by user 12/);
    assert.deepEqual(log.slice(1), ['file /etc/b deleted']);
    assert.deepEqual(failed, ['/etc/a/f']);
    assert.deepEqual(Object.keys(snapshot(root)), ['/etc/', '/etc/a/', '/etc/a/f']);
  });

  it('of a user are left out', async (t) => {
    const { root } = host(t);
    const places = placesAt(root, { scope: 'user' });
    const { log, plan: made } = await change({ places, tree: imageOf(ETCD), previous: undefined });
    assert.deepEqual([made.installed.installedFiles, log, snapshot(root)], [[], [], {}]);
  });

  it('that are templates get their values, by their name before or after renaming', async (t) => {
    const { root, places } = host(t);
    const tree = imageOf({ 'etc/$x.conf': 'name=$NAME\n', 'etc/b': '$NAME$$', 'etc/c': '$NAME' });
    const manifest = {
      renameFiles: new Map([['/etc/$x.conf', '/etc/$NAME/conf']]),
      installedFilesTemplate: ['/etc/etcd/conf', 'etc/b'],
    };
    const values = new Map([['NAME', 'etcd']]);
    const { plan: made } = await change({ places, tree, manifest, values, previous: undefined });
    assert.equal(read(root, 'etc/etcd/conf'), 'name=etcd\n');
    assert.equal(read(root, 'etc/b'), 'etcd$');
    assert.equal(read(root, 'etc/c'), '$NAME');
    assert.deepEqual(made.installed.installedTemplates, ['/etc/b', '/etc/etcd/conf']);
    assert.deepEqual([...made.installed.renamedFiles], [['/etc/$x.conf', '/etc/etcd/conf']]);
    assert.equal(made.installed.checksums.get('/etc/b'), sha256Of('etcd$'));
  });

  it('leave no temporary name behind', async (t) => {
    const { root, places } = host(t);
    await change({ places, tree: imageOf(ETCD), previous: undefined });
    assert.deepEqual(
      Object.keys(snapshot(root)).filter((path) => path.includes('.tmp')),
      [],
    );
  });
});

describe('a host file that was changed by hand', { skip: needs('root') }, () => {
  async function edited(t: TestContext) {
    const { root, places } = host(t);
    const first = await change({ places, tree: imageOf(ETCD), previous: undefined });
    write(root, { 'etc/etcd/etcd.conf': 'NAME=mine\n' });
    return { root, places, installed: first.plan.installed };
  }

  it('stays through an update, remains recorded, and has the new default beside it', async (t) => {
    const { root, places, installed } = await edited(t);
    const { log, plan: made } = await change({ places, tree: imageOf(NEXT), previous: installed });
    assert.deepEqual(log, [
      'file /etc/etcd/etcd.conf was modified.  Skip.',
      'file /usr/local/bin/etcdctl deleted',
      'copied /etc/etcd/etcd.conf.new',
      'copied /usr/local/bin/etcdctl',
    ]);
    assert.equal(read(root, 'etc/etcd/etcd.conf'), 'NAME=mine\n');
    assert.equal(read(root, 'etc/etcd/etcd.conf.new'), 'NAME=second\n');
    assert.deepEqual(made.installed.modifiedFiles, ['/etc/etcd/etcd.conf']);
    assert.equal(made.installed.checksums.get('/etc/etcd/etcd.conf'), sha256Of('NAME=default\n'));
    assert.deepEqual([...made.installed.newFiles], [['/etc/etcd/etcd.conf.new', sha256Of('NAME=second\n')]]);
  });

  it('has nothing beside it when the default is still the same', async (t) => {
    const { root, places, installed } = await edited(t);
    const { plan: made } = await change({ places, tree: imageOf(ETCD), previous: installed });
    assert.deepEqual([...made.installed.newFiles], []);
    assert.ok(!fs.existsSync(join(root, 'etc/etcd/etcd.conf.new')));
  });

  it('loses what is beside it when the version that brought it is taken back', async (t) => {
    const { root, places, installed } = await edited(t);
    const before = snapshot(root);
    const second = await change({ places, tree: imageOf(NEXT), previous: installed });
    const { log } = await change({ places, tree: imageOf(ETCD), previous: second.plan.installed });
    assert.ok(log.includes('file /etc/etcd/etcd.conf.new deleted'), log.join('\n'));
    assert.deepEqual(snapshot(root), before);
  });

  it('is not offered the same default again when the offer was removed', async (t) => {
    const { root, places, installed } = await edited(t);
    const second = await change({ places, tree: imageOf(NEXT), previous: installed });
    fs.unlinkSync(join(root, 'etc/etcd/etcd.conf.new'));
    const third = await change({ places, tree: imageOf(NEXT), previous: second.plan.installed });
    assert.ok(!fs.existsSync(join(root, 'etc/etcd/etcd.conf.new')));
    assert.equal(third.plan.installed.newFiles.size, 1);
  });

  it('is ours again when it has been made to what the new version brings', async (t) => {
    const { root, places, installed } = await edited(t);
    write(root, { 'etc/etcd/etcd.conf': 'NAME=second\n' });
    const { log, plan: made } = await change({ places, tree: imageOf(NEXT), previous: installed });
    assert.deepEqual([made.installed.modifiedFiles, made.installed.newFiles.size], [[], 0]);
    assert.ok(log.includes('copied /etc/etcd/etcd.conf'));
  });

  it('is kept and listed by the removal, and what is beside it goes', async (t) => {
    const { root, places, installed } = await edited(t);
    const second = await change({ places, tree: imageOf(NEXT), previous: installed });
    const { log, plan: made } = await change({ places, previous: second.plan.installed });
    assert.deepEqual(log, [
      'file /etc/etcd/etcd.conf was modified.  Skip.',
      'file /etc/etcd/etcd.conf.new deleted',
      'file /usr/local/bin/etcdctl deleted',
    ]);
    assert.deepEqual(made.kept, ['/etc/etcd/etcd.conf']);
    assert.deepEqual(Object.keys(snapshot(root)), ['/etc/', '/etc/etcd/', '/etc/etcd/etcd.conf']);
  });

  it('is deleted on request', async (t) => {
    const { root, places, installed } = await edited(t);
    await change({ places, previous: installed, purge: true });
    assert.deepEqual(snapshot(root), {});
  });

  it('is kept when the new version lacks it, and deleted once it is as it was', async (t) => {
    const { root, places, installed } = await edited(t);
    const second = await change({ places, tree: imageOf({ 'etc/z': 'z' }), previous: installed });
    assert.deepEqual(second.plan.installed.modifiedFiles, ['/etc/etcd/etcd.conf']);
    write(root, { 'etc/etcd/etcd.conf': 'NAME=default\n' });
    const third = await change({ places, tree: imageOf({ 'etc/z': 'z' }), previous: second.plan.installed });
    assert.deepEqual(third.plan.installed.installedFiles, ['/etc/z']);
    assert.deepEqual(Object.keys(snapshot(root)), ['/etc/', '/etc/z']);
  });
});

describe('the list of host files', () => {
  const paths = (files: HostFiles, rename: readonly (readonly [string, string])[] = []): readonly string[] =>
    hostFilesOf(imageOf(files), { ...NO_RULES, renameFiles: new Map(rename) }, new Map([['N', 'n']]))
      .filter(({ kind }) => kind !== 'directory')
      .map(({ path }) => path);

  it('is sorted by the final paths', () => {
    assert.deepEqual(paths({ 'b/x': '', a: '' }, [['/a', '/c']]), ['/b/x', '/c']);
  });

  it('has a directory renamed with all that is in it, and a file in it by its own rule', () => {
    const files = { 'etc/x/a': '', 'etc/x/d/b': '', 'etc/xy': '' };
    assert.deepEqual(
      paths(files, [
        ['/etc/x', '/opt/$N/'],
        ['/etc/x/a', '/etc/a'],
      ]),
      ['/etc/a', '/etc/xy', '/opt/n/d/b'],
    );
  });

  it('names the directories that only a renaming brings about', () => {
    const files = hostFilesOf(imageOf({ a: '' }), { ...NO_RULES, renameFiles: new Map([['a', '/x/y/a']]) }, new Map());
    assert.deepEqual(
      files.map(({ path, mode }) => [path, mode.toString(8)]),
      [
        ['/x', '755'],
        ['/x/y', '755'],
        ['/x/y/a', '644'],
      ],
    );
  });

  for (const path of ['relative', '/../x', '/a/../../x', '/', '/a\0b', `/${'a'.repeat(256)}`, '/a'.repeat(3000)]) {
    it(`with the new name ${JSON.stringify(path.slice(0, 20))} is refused`, () => {
      assert.throws(() => paths({ a: '' }, [['/a', path]]), { code: 'HOST_PATH_REFUSED' });
    });
  }

  it('with two files of one path is refused, and with a file above another one', () => {
    assert.throws(() => paths({ a: '', b: '' }, [['/a', '/b']]), { code: 'BAD_IMAGE_MANIFEST' });
    assert.throws(() => paths({ a: '', b: '' }, [['/a', '/b/c']]), { code: 'BAD_IMAGE_MANIFEST' });
  });

  it('with a variable in a new name that has no value is refused', () => {
    assert.throws(() => paths({ a: '' }, [['/a', '/$MISSING']]), { code: 'MISSING_VARIABLES' });
  });

  it('is empty without a directory of that name', () => {
    assert.deepEqual(hostFilesOf({ ...imageOf({}), look: () => undefined }, NO_RULES, new Map()), []);
  });
});

const NOTHING = {
  installedFiles: [],
  checksums: new Map<string, string>(),
  installedDirectories: [],
  modifiedFiles: [],
  newFiles: new Map<string, string>(),
};
