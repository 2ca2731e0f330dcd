/** Directories on the way that are not root's alone: nothing is written or removed through them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { change, imageOf, placesAt, plan, recorder, snapshot, write } from './host-files.fixture.ts';
import { copyStep, removalStep } from './index.ts';

const tree = imageOf({ 'srv/app/conf': 'conf' });
const USER = 1234;

function host(t: TestContext, more: Parameters<typeof placesAt>[1] = {}) {
  const root = scratch(t);
  fs.chmodSync(root, 0o755);
  write(root, { 'srv/app/keep': '', 'elsewhere/keep': '' });
  return { root, places: placesAt(root, more), at: (path: string) => join(root, path) };
}

describe('a host file whose directory', { skip: needs('root') }, () => {
  const hostile: readonly (readonly [string, (at: (path: string) => string) => void])[] = [
    ['belongs to somebody else', (at) => fs.chownSync(at('srv/app'), USER, 0)],
    ['lies in one of somebody else', (at) => fs.chownSync(at('srv'), USER, 0)],
    ['everybody may write', (at) => fs.chmodSync(at('srv/app'), 0o777)],
    ['everybody may write, with the sticky bit, as /tmp', (at) => fs.chmodSync(at('srv'), 0o1777)],
    ['a group may write', (at) => fs.chmodSync(at('srv/app'), 0o775)],
    [
      'is behind a link of somebody else',
      (at) => {
        fs.renameSync(at('srv/app'), at('srv/real'));
        fs.symlinkSync('real', at('srv/app'));
        fs.lchownSync(at('srv/app'), USER, USER);
      },
    ],
    [
      'is behind a link to a directory that everybody may write',
      (at) => {
        fs.rmSync(at('srv/app'), { recursive: true });
        fs.chmodSync(at('elsewhere'), 0o777);
        fs.symlinkSync('../elsewhere', at('srv/app'));
      },
    ],
  ];

  for (const [flaw, spoil] of hostile) {
    it(`${flaw} is refused before anything is touched`, async (t) => {
      const { root, places, at } = host(t);
      spoil(at);
      const before = snapshot(root);
      await assert.rejects(plan({ places, tree, previous: undefined }), { code: 'HOST_PATH_REFUSED' });
      assert.deepEqual(snapshot(root), before);
    });

    it(`${flaw} since the plan is not written`, async (t) => {
      const { root, places, at } = host(t);
      const made = await plan({ places, tree, previous: undefined });
      spoil(at);
      const before = snapshot(root);
      await assert.rejects(copyStep(made, tree, recorder().log), { code: 'HOST_PATH_REFUSED' });
      assert.deepEqual(snapshot(root), before);
    });

    it(`${flaw} since the plan is not removed`, async (t) => {
      const { root, places, at } = host(t);
      const { plan: first } = await change({ places, tree, previous: undefined });
      const made = await plan({ places, previous: first.installed });
      spoil(at);
      const before = snapshot(root);
      const { log, lines } = recorder();
      const failed = await removalStep(made, log);
      // The last of them leads to another directory, in which there is nothing to be removed.
      if (Object.keys(before).includes('/srv/app/conf')) assert.deepEqual(failed, ['/srv/app/conf'], lines.join());
      assert.deepEqual(snapshot(root), before);
    });
  }

  it('belongs to somebody else in the image itself is refused before anything is touched, and an empty one is not', async (t) => {
    const { root, places } = host(t);
    const own = { type: 'directory', uid: USER } as const;
    const before = snapshot(root);
    const more = plan({ places, tree: imageOf({ 'srv/own': own, 'srv/own/f': '' }), previous: undefined });
    await assert.rejects(more, { code: 'HOST_PATH_REFUSED' });
    assert.deepEqual(snapshot(root), before);
    await change({ places, tree: imageOf({ 'srv/own': own }), previous: undefined });
    assert.equal(snapshot(root)['/srv/own/'], `755 ${USER}:0`);
  });

  it('is refused with the commands that mend it', async (t) => {
    const { places, at } = host(t);
    fs.chownSync(at('srv/app'), USER, 0);
    fs.chmodSync(at('srv/app'), 0o777);
    const hint = `chown root ${at('srv/app')} && chmod g-w,o-w ${at('srv/app')}`;
    await assert.rejects(plan({ places, tree, previous: undefined }), { code: 'HOST_PATH_REFUSED', hint });
  });

  it('was replaced by a link to another one of root between the two halves is written there, where root led it', async (t) => {
    const { root, places, at } = host(t);
    const made = await plan({ places, tree, previous: undefined });
    await removalStep(made, recorder().log);
    fs.renameSync(at('srv/app'), at('srv/real'));
    fs.symlinkSync('/srv/real', at('srv/app')); // an absolute link stays inside of the prefix
    await copyStep(made, tree, recorder().log);
    assert.equal(snapshot(root)['/srv/real/conf'], '644 0:0 conf');
  });

  it('is behind links of root alone is found, through "..", "." and more links', async (t) => {
    const { root, places, at } = host(t);
    fs.rmSync(at('srv'), { recursive: true });
    fs.symlinkSync('.././elsewhere//../../../elsewhere', at('srv'));
    fs.symlinkSync('/srv/./real', at('elsewhere/app'));
    fs.mkdirSync(at('elsewhere/real'), { mode: 0o755 });
    const { log } = await change({ places, tree, previous: undefined });
    assert.deepEqual(log, ['copied /srv/app/conf']);
    assert.equal(snapshot(root)['/elsewhere/real/conf'], '644 0:0 conf');
  });

  it('is behind links that go in circles is refused', async (t) => {
    const { places, at } = host(t);
    fs.rmSync(at('srv'), { recursive: true });
    fs.symlinkSync('srv', at('srv'));
    await assert.rejects(plan({ places, tree, previous: undefined }), { code: 'HOST_PATH_REFUSED' });
  });

  it('is a link that leads nowhere, or a file, is in the way of nothing else', async (t) => {
    for (const spoil of [
      (path: string) => fs.symlinkSync('nowhere', path),
      (path: string) => fs.writeFileSync(path, ''),
    ]) {
      const { places, at } = host(t);
      fs.rmSync(at('srv/app'), { recursive: true });
      spoil(at('srv/app'));
      const both = imageOf({ 'srv/app/conf': 'conf', 'srv/other': 'o' });
      const { log } = await change({ places, tree: both, previous: undefined });
      assert.deepEqual(log, ['! File /srv/app already exists', 'copied /srv/other']);
    }
  });

  it('has a link at the very place of the file keeps it: it is not written through', async (t) => {
    const { root, places, at } = host(t);
    fs.symlinkSync('keep', at('srv/app/conf'));
    const { log } = await change({ places, tree, previous: undefined });
    assert.deepEqual(log, ['! File /srv/app/conf already exists']);
    assert.equal(snapshot(root)['/srv/app/keep'], '644 0:0 ');
  });
});

describe('a host file in a place that is not for files', { skip: needs('root') }, () => {
  for (const path of [
    'proc/x',
    'sys/kernel/x',
    'dev/x',
    'var/lib/containers/atomic/etcd.0/rootfs/x',
    'var/lib/containers/atomic/.storage/repo/config',
  ]) {
    it(`as /${path} is refused`, async (t) => {
      const { places } = host(t);
      await assert.rejects(plan({ places, tree: imageOf({ [path]: '' }), previous: undefined }), {
        code: 'HOST_PATH_REFUSED',
      });
    });
  }

  it('as the storage by another name is refused', async (t) => {
    const { root, at } = host(t);
    const checkouts = at('elsewhere');
    const places = placesAt(root, { checkouts, state: `${checkouts}/.state`, repository: `${checkouts}/repo` });
    fs.rmSync(at('srv/app'), { recursive: true });
    fs.symlinkSync('/elsewhere', at('srv/app'));
    await assert.rejects(plan({ places, tree, previous: undefined }), { code: 'HOST_PATH_REFUSED' });
  });

  it('outside of the allowed prefixes is refused, and inside of them written', async (t) => {
    const { root, places } = host(t, { hostPrefixes: ['/opt/etcd', '/srv/app'] });
    await assert.rejects(plan({ places, tree: imageOf({ 'etc/x': '' }), previous: undefined }), {
      code: 'HOST_PATH_REFUSED',
    });
    await assert.rejects(plan({ places, tree: imageOf({ 'srv/application': '' }), previous: undefined }), {
      code: 'HOST_PATH_REFUSED',
    });
    await change({ places, tree: imageOf({ 'opt/etcd/x': 'x', 'srv/app/y': 'y' }), previous: undefined });
    assert.ok('/opt/etcd/x' in snapshot(root));
  });

  it('behind a link that an image has put below a prefix is refused', async (t) => {
    const { places, root } = host(t, { hostPrefixes: ['/srv/app'] });
    const first = await change({
      places,
      tree: imageOf({ 'srv/app/l': { target: '/elsewhere' } }),
      previous: undefined,
    });
    assert.equal(snapshot(root)['/srv/app/l'], '0:0 -> /elsewhere');
    const more = plan({ places, tree: imageOf({ 'srv/app/l/x': 'x' }), previous: undefined });
    await assert.rejects(more, { code: 'HOST_PATH_REFUSED' });
    assert.equal(first.plan.installed.installedFiles.length, 1);
  });

  it('below a prefix that is itself a link of root is written', async (t) => {
    const { places, root, at } = host(t, { hostPrefixes: ['/srv/app'] });
    fs.rmSync(at('srv/app'), { recursive: true });
    fs.symlinkSync('/elsewhere', at('srv/app'));
    await change({ places, tree, previous: undefined });
    assert.ok('/elsewhere/conf' in snapshot(root));
  });
});
