import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { findContainer, listContainers } from '../deployment/index.ts';
import { type Machine, machineAt } from '../switch/machine.fixture.ts';
import { install, ONE, snapshot, start, TWO, update } from '../switch/moves.fixture.ts';
import { planRemoval, uninstallContainer } from './index.ts';

const needsRoot = { skip: needs('root') };

function machineIn(t: Parameters<typeof scratch>[0]): Machine {
  const root = scratch(t);
  fs.mkdirSync(join(root, 'etc'));
  fs.mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  return machineAt(root);
}

const uninstall = (machine: Machine, purge = false) => uninstallContainer(machine.host, { name: 'app', purge });

/** Files of the host that are neither directories nor the storage's. */
function filesOn({ root }: Machine): readonly string[] {
  const files = fs.readdirSync(root, { recursive: true, encoding: 'utf8' });
  return files.filter((path) => !path.includes('/.state') && !fs.lstatSync(join(root, path)).isDirectory()).sort();
}

describe('uninstall', needsRoot, () => {
  it('takes all away that install and update have brought, in the order that an administrator knows', async (t) => {
    const machine = machineIn(t);
    await install(machine, ONE);
    await update(machine, TWO);
    start(machine);
    machine.lines.length = 0;
    const { deployments } = await uninstall(machine);
    assert.deepEqual(machine.lines, [
      'systemctl --now disable app',
      'systemd-tmpfiles --remove /etc/tmpfiles.d/app.conf',
      'file /etc/app/app.conf deleted',
      'file /etc/app/new deleted',
      'file /usr/local/bin/ctl deleted',
    ]);
    assert.deepEqual(filesOn(machine), []);
    assert.equal(fs.existsSync(join(machine.root, 'etc/app')), false);
    assert.deepEqual([machine.units.enabled.size, machine.units.active.size], [0, 0]);
    assert.equal(deployments[0]?.info.revision, 'two');
    assert.deepEqual(machine.events.filter((event) => event === 'systemctl: reload').length, 3);
  });

  it('has systemd forget the unit before the first file goes', async (t) => {
    const machine = machineIn(t);
    await install(machine, ONE);
    machine.events.length = 0;
    await uninstall(machine);
    assert.ok(machine.events.indexOf('systemctl: reload') < machine.events.indexOf('file /etc/app/old deleted'));
  });

  it('keeps state and changed files, and --purge does not', async (t) => {
    for (const purge of [false, true]) {
      const machine = machineIn(t);
      await install(machine, ONE);
      fs.writeFileSync(join(machine.root, 'etc/app/app.conf'), 'mine\n');
      fs.mkdirSync(join(machine.root, 'var/lib/app/deep'), { recursive: true });
      fs.symlinkSync('/etc', join(machine.root, 'var/lib/app/link'));
      const { keptFiles } = await uninstall(machine, purge);
      assert.deepEqual(keptFiles, purge ? [] : ['/etc/app/app.conf']);
      assert.equal(fs.existsSync(join(machine.root, 'etc/app/app.conf')), !purge);
      assert.equal(fs.existsSync(join(machine.root, 'var/lib/app')), !purge);
    }
  });

  it('does not purge the storage, whatever the container is called', async (t) => {
    const machine = machineIn(t);
    await install(machine, ONE);
    const { purgeState } = await import('../switch/purge-state.ts');
    purgeState(machine.host, 'containers', { values: new Map([['STATE_DIRECTORY', '/var/lib']]) });
    purgeState(machine.host, 'lib', { values: new Map([['STATE_DIRECTORY', '/var']]) });
    purgeState(machine.host, 'etc', { values: new Map([['STATE_DIRECTORY', '/var/..']]) });
    assert.equal(listContainers(machine.places).length, 1);
    assert.equal(fs.existsSync(join(machine.root, 'etc')), true);
    assert.equal(machine.warnings.length, 2);
  });

  it('leaves everything as it was when the service does not stop', async (t) => {
    const machine = machineIn(t);
    await install(machine, ONE);
    start(machine);
    const before = snapshot(machine);
    const services = { ...machine.host.services, disableNow: async () => void machine.units.enabled.clear() };
    const stuck = { ...machine, host: { ...machine.host, services } };
    await assert.rejects(uninstall(stuck), { code: 'SERVICE_DID_NOT_STOP' });
    assert.deepEqual(snapshot(machine), before);
  });

  it('knows a container that is not there', async (t) => {
    const machine = machineIn(t);
    await assert.rejects(uninstall(machine), { code: 'CONTAINER_MISSING' });
    assert.deepEqual(filesOn(machine), []);
  });

  it('changes nothing when it is only asked what it would do', async (t) => {
    const machine = machineIn(t);
    await install(machine, ONE);
    const before = snapshot(machine);
    const { hostFiles } = await planRemoval(machine.host, { name: 'app', purge: false });
    assert.deepEqual(hostFiles[0]?.lines.slice(0, 1), ['file /etc/app/app.conf deleted']);
    assert.deepEqual(snapshot(machine), before);
  });
});

describe('uninstall of a broken container', needsRoot, () => {
  const ways: Readonly<Record<string, (machine: Machine) => void>> = {
    'without a link': ({ places }) => fs.unlinkSync(join(places.checkouts, 'app')),
    'without info': ({ places }) => fs.unlinkSync(join(places.checkouts, 'app.0/info')),
    'with info that is no JSON': ({ places }) => fs.writeFileSync(join(places.checkouts, 'app.0/info'), '{'),
    'whose link leads nowhere': ({ places }) => {
      fs.unlinkSync(join(places.checkouts, 'app'));
      fs.symlinkSync('app.7', join(places.checkouts, 'app'));
    },
    'without its unit': ({ places }) => fs.unlinkSync(join(places.units, 'app.service')),
    'without a root file system': ({ places }) =>
      fs.rmSync(join(places.checkouts, 'app.0/rootfs'), { recursive: true }),
  };
  for (const [way, spoil] of Object.entries(ways)) {
    it(`${way} clears the unit, the link and the slots`, async (t) => {
      const machine = machineIn(t);
      await install(machine, ONE);
      spoil(machine);
      await uninstall(machine);
      assert.equal(findContainer(machine.places, 'app'), undefined);
      assert.deepEqual(
        filesOn(machine).filter((path) => !way.includes('info') || !/^(etc\/app|usr)/.test(path)),
        [],
      );
    });
  }

  it('leaves a unit that does not speak of it', async (t) => {
    const machine = machineIn(t);
    fs.mkdirSync(machine.places.units, { recursive: true });
    fs.mkdirSync(machine.places.checkouts, { recursive: true });
    fs.writeFileSync(join(machine.places.units, 'app.service'), '[Service]\nExecStart=/usr/sbin/app\n');
    fs.symlinkSync('app.0', join(machine.places.checkouts, 'app'));
    await uninstall(machine);
    assert.deepEqual(filesOn(machine), ['etc/systemd/system/app.service']);
    assert.equal(machine.warnings.length, 1);
  });

  it('leaves another container whose link has the name of a slot', async (t) => {
    const machine = machineIn(t);
    await install(machine, ONE);
    fs.symlinkSync('app.5.0', join(machine.places.checkouts, 'app.5'));
    await uninstall(machine);
    assert.equal(fs.lstatSync(join(machine.places.checkouts, 'app.5')).isSymbolicLink(), true);
  });
});
