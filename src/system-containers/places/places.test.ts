import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { NO_SETTINGS, type PlacesRequest, readSettings, resolvePlaces, seenFromHost } from './index.ts';
import { parseSettingsFile } from './settings.ts';

const ROOT: PlacesRequest = { env: {}, uid: 0, gid: 0, home: '/root', settings: NO_SETTINGS };

describe('the places of root', () => {
  it('are those of the earlier tools', () => {
    const places = resolvePlaces(ROOT);
    assert.equal(places.checkouts, '/var/lib/containers/atomic');
    assert.equal(places.repository, '/var/lib/containers/atomic/.storage/repo');
    assert.equal(places.state, '/var/lib/containers/atomic/.state');
    assert.deepEqual([places.scope, places.repositoryMode, places.keep], ['system', 'bare', 2]);
    assert.deepEqual(places.directories, { run: '/run', state: '/var/lib', conf: '/etc' });
    assert.deepEqual([places.units, places.tmpfiles], ['/etc/systemd/system', '/etc/tmpfiles.d']);
  });
  it('keep the repository with the deployments when these are elsewhere', () => {
    assert.equal(resolvePlaces({ ...ROOT, checkouts: '/srv/c' }).repository, '/srv/c/.storage/repo');
    const env = { OS_CONTAINERS_CHECKOUT_PATH: '/srv/e' };
    assert.equal(resolvePlaces({ ...ROOT, env }).repository, '/srv/e/.storage/repo');
  });
  it('come from the command line, then the environment, then the settings', () => {
    const settings = { ...NO_SETTINGS, repo: '/s/repo', checkouts: '/s/c', keep: 5, hostPrefixes: ['/etc'] };
    const env = { OSTREE_REPO: '/e/repo', ATOMIC_OSTREE_REPO: '/a/repo', ATOMIC_OSTREE_CHECKOUT_PATH: '/a/c' };
    const all = resolvePlaces({ ...ROOT, env, settings, repo: '/o/repo' });
    assert.deepEqual([all.repository, all.checkouts], ['/o/repo', '/a/c']);
    assert.deepEqual([all.keep, all.hostPrefixes], [5, ['/etc']]);
    assert.equal(resolvePlaces({ ...ROOT, env, settings }).repository, '/e/repo');
    const unset = resolvePlaces({ ...ROOT, env: { OSTREE_REPO: '' }, settings });
    assert.deepEqual([unset.repository, unset.checkouts], ['/s/repo', '/s/c']);
  });
  it('lie below another root, which what runs there does not know', () => {
    const settings = { ...NO_SETTINGS, repo: '/s/repo' };
    const places = resolvePlaces({ ...ROOT, root: '/mnt/host', settings });
    assert.equal(places.checkouts, '/mnt/host/var/lib/containers/atomic');
    assert.equal(places.repository, '/mnt/host/s/repo');
    assert.equal(places.units, '/mnt/host/etc/systemd/system');
    assert.equal(places.preinstalled, '/mnt/host/usr/lib/containers/atomic');
    assert.deepEqual(places.directories, { run: '/run', state: '/var/lib', conf: '/etc' });
    assert.equal(seenFromHost(places, `${places.checkouts}/etcd.0`), '/var/lib/containers/atomic/etcd.0');
  });
  for (const path of ['/srv/a b', '/srv/%i', '/srv/"x"', '/srv/ä', '/srv/$HOME']) {
    it(`may not be ${path}, which would act in units`, () => {
      assert.throws(() => resolvePlaces({ ...ROOT, checkouts: path }), { code: 'BAD_CONTAINER_PATH', subject: path });
    });
  }
});

describe('the places of a user', () => {
  const user = (home: string, env: NodeJS.ProcessEnv = {}): PlacesRequest => ({
    ...ROOT,
    env,
    uid: 1000,
    gid: 1000,
    home,
  });
  it('lie in the home directory', () => {
    const places = resolvePlaces(user('/home/somebody/'));
    assert.equal(places.checkouts, '/home/somebody/.local/share/containers/atomic');
    assert.deepEqual([places.scope, places.repositoryMode], ['user', 'bare-user']);
    assert.equal(places.units, '/home/somebody/.config/systemd/user');
    assert.equal(places.tmpfiles, '/home/somebody/.config/user-tmpfiles.d');
    assert.equal(places.preinstalled, undefined);
    assert.deepEqual(places.directories, {
      run: '/run/user/1000',
      state: '/home/somebody/.data',
      conf: '/home/somebody/.config',
    });
  });
  it('follow the XDG variables, unless these are relative', () => {
    const env = { XDG_DATA_HOME: '/data', XDG_RUNTIME_DIR: '/tmp/run' };
    const places = resolvePlaces(user('/home/a', env));
    assert.deepEqual([places.checkouts, places.directories.run], ['/data/containers/atomic', '/tmp/run']);
    assert.equal(
      resolvePlaces(user('/home/a', { XDG_DATA_HOME: 'data' })).checkouts,
      '/home/a/.local/share/containers/atomic',
    );
  });
  it('are those that a link to the home directory leads to', (t) => {
    const folder = scratch(t);
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    assert.equal(resolvePlaces(user(join(folder, 'link'))).directories.state, join(folder, 'real/.data'));
  });
  it('need a home directory that can stand in units', () => {
    for (const home of ['', 'home', '/home/a b']) {
      assert.throws(() => resolvePlaces(user(home)), { code: 'BAD_CONTAINER_PATH' });
    }
  });
});

describe('a settings file', () => {
  const parse = (text: string) => parseSettingsFile(Buffer.from(text), 'os-containers.conf');
  it('says what is not the default', () => {
    const text = [
      '# all of them',
      'Repo=/srv//repo/',
      'Checkouts=/srv/containers',
      'Runtime=/usr/bin/crun',
      'Policy=/etc/policy.json',
      'RequireSignature=yes',
      'HostPrefix=/etc',
      'HostPrefix=/usr/local',
      'Keep=3',
      'WaitSec=2min',
      '',
    ].join('\n');
    assert.deepEqual(parse(text), {
      repo: '/srv/repo',
      checkouts: '/srv/containers',
      runtime: '/usr/bin/crun',
      policy: '/etc/policy.json',
      requireSignature: true,
      hostPrefixes: ['/etc', '/usr/local'],
      keep: 3,
      waitMs: 120_000,
      warnings: [],
    });
  });
  it('that is empty says nothing', () => assert.deepEqual(parse(''), NO_SETTINGS));
  const wrong = {
    'an unknown key': 'Repository=/x',
    'a key in other letters': 'repo=/x',
    'a key twice': 'Keep=2\nKeep=3',
    'a line without an equals sign': 'Keep',
    'a relative path': 'Repo=repo',
    'a path with dots': 'HostPrefix=/etc/../usr',
    'one slot': 'Keep=1',
    'more slots than there are digits': 'Keep=11',
    'a word for yes': 'RequireSignature=true',
    'a time that is none': 'WaitSec=soon',
  };
  for (const [flaw, text] of Object.entries(wrong)) {
    it(`with ${flaw} is refused, with its line`, () => {
      assert.throws(() => parse(`# first\n${text}\n`), { code: 'BAD_SETTINGS', message: /line [23]/ });
    });
  }
  it('that is not UTF-8 is refused', () => {
    assert.throws(() => parseSettingsFile(Buffer.from([0xff]), 'x'), { code: 'BAD_SETTINGS' });
  });
  it('that is absent says nothing; that others may write is refused', (t) => {
    const path = join(scratch(t), 'os-containers.conf');
    assert.deepEqual(readSettings(path), NO_SETTINGS);
    writeFileSync(path, 'Keep=4\n', { mode: 0o644 });
    assert.equal(readSettings(path).keep, 4);
    chmodSync(path, 0o666);
    assert.throws(() => readSettings(path), { code: 'UNSAFE_OWNER' });
  });
});
