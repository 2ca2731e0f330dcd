/** The seed's example, line for line: what install, update, rollback and uninstall do, and in which order. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeScratch, removeTree } from '../support/scratch.ts';
import {
  actionLines,
  activeInfo,
  activeSlot,
  type ContainerPlace,
  containerPlace,
  type EtcdOptions,
  etcdImage,
  type Snapshot,
  slotsIn,
  snapshot,
} from './os-containers-place.ts';

const NAME = 'registry.example.com/gscrivano/etcd:latest';
const IMAGE = 'registry.example.com/gscrivano/etcd';
const BRANCH = 'heads/ociimage/registry.example.com_2Fgscrivano_2Fetcd_3Alatest';
const FILES = ['/etc/etcd/etcd.conf', '/usr/local/bin/etcdctl'];
const TMPFILES = 'd $RUN_DIRECTORY/$NAME 0700 $HOST_UID $HOST_GID - -\n';

interface Scene extends ContainerPlace {
  /** Make a version of the image and pull it under the name of the example. */
  publish(version: string, options?: EtcdOptions): Promise<void>;
}

function scene(t: TestContext): Scene {
  const folder = makeScratch();
  t.after(() => removeTree(folder));
  const place = containerPlace(folder);
  return {
    ...place,
    async publish(version, options) {
      const image = await etcdImage(join(folder, 'image'), version, options);
      const { status, stderr } = await place.run(['pull', '--name', NAME, image]);
      assert.equal(status, 0, stderr);
    },
  };
}

const installed = FILES.map((file) => `copied ${file}`);
const deleted = FILES.map((file) => `file ${file} deleted`);
const switched = (...between: readonly string[]): readonly string[] => [
  'systemctl --now disable etcd',
  ...between,
  ...deleted,
  ...installed,
  'systemctl daemon-reload',
  'systemctl enable etcd',
];

describe('the example of the seed', () => {
  it('is installed with these lines, and not started', async (t) => {
    const place = scene(t);
    await place.publish('1.0');
    place.systemd.forget();
    const lines = await place.did('install', IMAGE);
    assert.deepEqual(lines, [...installed, 'systemctl daemon-reload', 'systemctl enable etcd']);
    assert.deepEqual(place.systemd.calls(), ['systemctl daemon-reload', 'systemctl enable etcd']);
    assert.equal(place.systemd.isActive('etcd'), false);
    assert.equal(activeSlot(place, 'etcd'), 'etcd.0');
    const unit = readFileSync(join(place.root, 'etc/systemd/system/etcd.service'), 'utf8');
    assert.match(unit, /^ExecStart=\S+\/runc --systemd-cgroup run 'etcd'$/m);
    assert.match(unit, /^WorkingDirectory=\/var\/lib\/containers\/atomic\/etcd\.0$/m);
    assert.equal(readFileSync(join(place.root, 'etc/etcd/etcd.conf'), 'utf8'), '# etcd 1.0\n');
  });

  it('is updated, rolled back twice and uninstalled with these lines, and leaves nothing', async (t) => {
    const place = scene(t);
    await place.publish('1.0');
    const before = snapshot(place.root);
    await place.did('install', IMAGE);
    const first = snapshot(place.root);
    place.systemd.set('etcd', { active: true });
    await place.publish('2.0');
    assert.deepEqual(await place.did('update', 'etcd', '--wait', '0'), [...switched(), 'systemctl start etcd']);
    assert.equal(activeSlot(place, 'etcd'), 'etcd.1');
    const second = snapshot(place.root);
    assert.equal(readFileSync(join(place.root, 'etc/etcd/etcd.conf'), 'utf8'), '# etcd 2.0\n');
    const info = activeInfo(place, 'etcd');

    assert.deepEqual(await place.did('rollback', 'etcd', '--wait', '0'), [...switched(), 'systemctl start etcd']);
    assert.equal(activeSlot(place, 'etcd'), 'etcd.0');
    assert.deepEqual(snapshot(place.root), first);
    assert.deepEqual(await place.did('rollback', 'etcd', '--wait', '0'), [...switched(), 'systemctl start etcd']);
    assert.equal(activeSlot(place, 'etcd'), 'etcd.1');
    assert.deepEqual(snapshot(place.root), second);
    assert.deepEqual({ ...activeInfo(place, 'etcd'), activated: 0 }, { ...info, activated: 0 });

    assert.deepEqual(await place.did('uninstall', 'etcd'), ['systemctl --now disable etcd', ...deleted]);
    assert.deepEqual(snapshot(place.root), before);
    assert.deepEqual(slotsIn(place), []);
    assert.equal(place.systemd.calls().at(-1), 'systemctl daemon-reload');
  });

  it('with a tmpfiles fragment has one more line where it is taken away, and makes it before a start', async (t) => {
    const place = scene(t);
    await place.publish('1.0', { tmpfiles: TMPFILES });
    place.systemd.forget();
    const fragment = join(place.root, 'etc/tmpfiles.d/etcd.conf');
    const lines = await place.did('install', IMAGE);
    assert.deepEqual(lines, [...installed, 'systemctl daemon-reload', 'systemctl enable etcd']);
    assert.equal(readFileSync(fragment, 'utf8'), 'd /run/etcd 0700 0 0 - -\n');
    const create = place.systemd.calls().findIndex((line) => line.startsWith('systemd-tmpfiles --create '));
    assert.ok(create > 0 && create < place.systemd.calls().indexOf('systemctl enable etcd'));
    await place.publish('2.0', { tmpfiles: TMPFILES });
    const remove = /^systemd-tmpfiles --remove \S*\/etc\/tmpfiles\.d\/etcd\.conf$/;
    const updated = await place.did('update', 'etcd', '--wait', '0');
    assert.match(updated[1] ?? '', remove);
    assert.deepEqual(updated, switched(updated[1] ?? ''));
    const gone = await place.did('uninstall', 'etcd');
    assert.match(gone[1] ?? '', remove);
    assert.deepEqual([gone[0], ...gone.slice(2)], ['systemctl --now disable etcd', ...deleted]);
    assert.equal(existsSync(fragment), false);
  });

  it('that is at its newest version says so and changes nothing', async (t) => {
    const place = scene(t);
    await place.publish('1.0');
    await place.did('install', IMAGE);
    const before = snapshot(place.root, []);
    place.systemd.forget();
    for (const words of [[], ['--set', 'RUN_DIRECTORY=/run']]) {
      const lines = await place.did('update', 'etcd', ...words);
      assert.ok(lines.includes('latest version already deployed'), lines.join('\n'));
    }
    assert.deepEqual(place.systemd.calls(), []);
    assert.deepEqual(snapshot(place.root, []), before);
  });

  it('is pulled twice at the cost of once', async (t) => {
    const place = scene(t);
    await place.publish('1.0');
    const ref = readFileSync(join(place.repo, 'refs', BRANCH), 'utf8');
    const again = await place.run(['pull', '--name', NAME, `oci:${join(place.root, '../image')}:1.0`]);
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.equal(readFileSync(join(place.repo, 'refs', BRANCH), 'utf8'), ref);
  });
});

describe('a configuration file that the administrator has changed', () => {
  it('survives update, rollback and uninstall, is told of each time, and the new default lies beside it', async (t) => {
    const place = scene(t);
    const file = join(place.root, 'etc/etcd/etcd.conf');
    const modified = 'file /etc/etcd/etcd.conf was modified.  Skip.';
    await place.publish('1.0');
    await place.did('install', IMAGE);
    writeFileSync(file, '# mine\n');
    await place.publish('2.0');
    const updated = await place.did('update', 'etcd', '--wait', '0');
    assert.ok(updated.includes(modified) && updated.includes('copied /etc/etcd/etcd.conf.new'), updated.join('\n'));
    assert.equal(readFileSync(file, 'utf8'), '# mine\n');
    assert.equal(readFileSync(`${file}.new`, 'utf8'), '# etcd 2.0\n');
    const back = await place.did('rollback', 'etcd', '--wait', '0');
    assert.ok(back.includes(modified), back.join('\n'));
    assert.equal(existsSync(`${file}.new`), false);
    assert.equal(readFileSync(file, 'utf8'), '# mine\n');
    const gone = await place.did('uninstall', 'etcd');
    assert.ok(gone.includes(modified), gone.join('\n'));
    assert.equal(readFileSync(file, 'utf8'), '# mine\n');
  });

  it('goes with --purge', async (t) => {
    const place = scene(t);
    await place.publish('1.0');
    const before = snapshot(place.root);
    await place.did('install', IMAGE);
    writeFileSync(join(place.root, 'etc/etcd/etcd.conf'), '# mine\n');
    await place.did('uninstall', '--purge', 'etcd');
    assert.deepEqual(snapshot(place.root), before);
  });
});

describe('an installation that cannot be', () => {
  it('for want of values names all of them, and leaves nothing', async (t) => {
    const place = scene(t);
    await place.publish('1.0', {
      unit: '[Service]\nExecStart=$EXEC_START $FIRST $SECOND\n',
      tmpfiles: 'd /run/$THIRD\n',
    });
    const before = snapshot(place.root, []);
    const ended = await place.run(['install', IMAGE]);
    assert.equal(ended.status, 1, ended.stderr);
    for (const name of ['FIRST', 'SECOND', 'THIRD']) assert.match(ended.stderr, new RegExp(`\\b${name}\\b`));
    const isOurs = /\/\.(state|storage)\b/; // what is known of the image may be kept beside it
    assert.deepEqual(without(snapshot(place.root, []), isOurs), without(before, isOurs));
    assert.deepEqual(slotsIn(place), []);
  });

  it('over a file that is there leaves that file, and over a unit of somebody else is refused', async (t) => {
    const place = scene(t);
    await place.publish('1.0', { hostFiles: { 'usr/local/bin/etcdctl': 'new\n' } });
    writeFileSync(join(place.root, 'usr/local/bin/etcdctl'), 'old\n');
    const lines = await place.did('install', IMAGE);
    assert.ok(lines.includes('File /usr/local/bin/etcdctl already exists'), lines.join('\n'));
    await place.did('uninstall', 'etcd');
    assert.equal(readFileSync(join(place.root, 'usr/local/bin/etcdctl'), 'utf8'), 'old\n');

    writeFileSync(join(place.root, 'etc/systemd/system/etcd.service'), '[Service]\n');
    const ended = await place.run(['install', IMAGE]);
    assert.equal(ended.status, 1);
    assert.match(ended.stderr, /the file \S*\/etc\/systemd\/system\/etcd\.service already exists/i);
    assert.deepEqual(slotsIn(place), []);
  });

  it('beside a container whose slot it would be, or the other way round, is refused', async (t) => {
    for (const [first, second] of [
      ['etcd', 'etcd.0'],
      ['etcd.0', 'etcd'],
      ['etcd', 'etcd.1'],
      ['etcd.1', 'etcd'],
      ['etcd', 'etcd'],
    ] as const) {
      const place = scene(t);
      await place.publish('1.0', { hostFiles: {} });
      await place.did('install', '--name', first, IMAGE);
      const before = snapshot(place.root, ['var/lib/containers/atomic/.state']);
      const ended = await place.run(['install', '--name', second, IMAGE]);
      assert.equal(ended.status, 1, `${second} beside ${first}: ${ended.stderr}`);
      assert.deepEqual(snapshot(place.root, ['var/lib/containers/atomic/.state']), before);
      await place.did('uninstall', first);
      await place.did('install', '--name', second, IMAGE);
    }
  });
});

describe('an update to a version that does not run', () => {
  it('that fails a moment after its start is taken back, and the service runs as before', async (t) => {
    const place = scene(t);
    await place.publish('1.0');
    await place.did('install', IMAGE);
    place.systemd.set('etcd', { active: true });
    const before = snapshot(place.root);
    await place.publish('2.0');
    place.systemd.failLater('etcd');
    const ended = await place.run(['update', 'etcd', '--wait', '1']);
    assert.equal(ended.status, 1, ended.stderr);
    const lines = actionLines(ended.stderr);
    assert.ok(lines.includes('Could not restart etcd.  Attempt automatic rollback'), lines.join('\n'));
    assert.deepEqual(snapshot(place.root), before);
    assert.equal(activeSlot(place, 'etcd'), 'etcd.0');
    assert.ok(place.systemd.isActive('etcd') && place.systemd.isEnabled('etcd'));
  });

  it('or that somebody went back from does not come again by itself, only when it is asked for', async (t) => {
    const place = scene(t);
    await place.publish('1.0');
    await place.did('install', IMAGE);
    place.systemd.set('etcd', { active: true });
    await place.publish('2.0');
    place.systemd.failLater('etcd');
    assert.equal((await place.run(['update', 'etcd', '--wait', '1'])).status, 1);
    const { outcome } = await allUpdated(place);
    assert.equal(outcome, 'skipped');
    assert.equal(activeSlot(place, 'etcd'), 'etcd.0');
    await place.did('update', 'etcd', '--wait', '0');
    assert.equal(activeSlot(place, 'etcd'), 'etcd.1');

    makeOlder(place, 'etcd.0');
    await place.did('rollback', 'etcd', '--wait', '0');
    assert.equal((await allUpdated(place)).outcome, 'skipped');
    await place.publish('3.0');
    assert.equal((await allUpdated(place)).outcome, 'updated');
  });

  for (const call of [
    'systemctl --now disable etcd',
    'systemctl daemon-reload',
    'systemctl enable etcd',
    'systemctl start etcd',
  ]) {
    it(`because "${call}" fails leaves everything as it was`, async (t) => {
      const place = scene(t);
      await place.publish('1.0', { tmpfiles: TMPFILES });
      await place.did('install', IMAGE);
      place.systemd.set('etcd', { active: true });
      const before = snapshot(place.root);
      await place.publish('2.0', { tmpfiles: TMPFILES });
      place.systemd.failOnce(call);
      const ended = await place.run(['update', 'etcd', '--wait', '0']);
      assert.equal(ended.status, 1, ended.stderr);
      assert.match(ended.stderr, /made to fail once/);
      assert.deepEqual(snapshot(place.root), before);
      assert.equal(activeSlot(place, 'etcd'), 'etcd.0');
      assert.ok(place.systemd.isActive('etcd') && place.systemd.isEnabled('etcd'), place.systemd.calls().join('\n'));
      const again = await place.run(['update', 'etcd', '--wait', '0']);
      assert.equal(again.status, 0, again.stderr);
      assert.equal(activeSlot(place, 'etcd'), 'etcd.1');
    });
  }

  it('a service that does not stop is left alone', async (t) => {
    const place = scene(t);
    await place.publish('1.0');
    await place.did('install', IMAGE);
    place.systemd.set('etcd', { active: true });
    const before = snapshot(place.root);
    await place.publish('2.0');
    place.systemd.fail('systemctl --now disable etcd', 'systemctl stop etcd');
    const ended = await place.run(['update', 'etcd', '--wait', '0']);
    assert.equal(ended.status, 1);
    assert.deepEqual(snapshot(place.root), before);
    assert.ok(place.systemd.isActive('etcd') && place.systemd.isEnabled('etcd'));
  });

  it('a unit that the administrator had disabled stays disabled, and one that was stopped stays stopped', async (t) => {
    const place = scene(t);
    await place.publish('1.0');
    await place.did('install', IMAGE);
    place.systemd.set('etcd', { enabled: false, active: true });
    await place.publish('2.0');
    await place.did('update', 'etcd', '--wait', '0');
    assert.deepEqual([place.systemd.isEnabled('etcd'), place.systemd.isActive('etcd')], [false, true]);
    place.systemd.set('etcd', { active: false });
    await place.did('rollback', 'etcd', '--wait', '0');
    assert.deepEqual([place.systemd.isEnabled('etcd'), place.systemd.isActive('etcd')], [false, false]);
  });
});

/** What `update --all` says of the only container. */
async function allUpdated(place: ContainerPlace): Promise<{ readonly outcome: string }> {
  const { status, stdout, stderr } = await place.run(['update', '--all', '--wait', '0', '--json']);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout).containers[0];
}

/** Deployments of one test are of the same second. */
function makeOlder({ checkouts }: ContainerPlace, slot: string): void {
  const file = join(checkouts, slot, 'info');
  const info = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...info, created: info.created - 60 }));
}

function without(found: Snapshot, part: RegExp): Snapshot {
  return Object.fromEntries(Object.entries(found).filter(([path]) => !part.test(path)));
}
