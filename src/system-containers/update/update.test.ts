import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { openContainer } from '../deployment/index.ts';
import { type InstallRequest, installContainer, planInstallation } from '../install/index.ts';
import { rollBackContainer } from '../rollback/index.ts';
import { type Machine, machineAt } from '../switch/machine.fixture.ts';
import { outside, snapshot, start } from '../switch/moves.fixture.ts';
import { planUpdate, type UpdateRequest, updateAll, updateContainer } from './index.ts';

const needsRoot = { skip: needs('root') };

const CONFIG = {
  ociVersion: '1.0.0',
  process: { terminal: false, user: { uid: 0, gid: 0 }, args: ['/bin/app'], cwd: '/' },
  root: { path: 'rootfs', readonly: true },
};

/** A root file system of the user's: everything but the storage of images. */
function rootfsIn(folder: string): string {
  const rootfs = join(folder, 'image');
  const write = (path: string, text: string): void => {
    fs.mkdirSync(join(rootfs, path, '..'), { recursive: true });
    fs.writeFileSync(join(rootfs, path), text);
  };
  const manifest = { defaultValues: { PORT: '80' }, installedFilesTemplate: ['/etc/app.conf'] };
  write('exports/manifest.json', JSON.stringify(manifest));
  write('exports/config.json', JSON.stringify(CONFIG));
  write('exports/service.template', '[Service]\nExecStart=$EXEC_START\nEnvironment=PORT=$PORT\n');
  write('exports/hostfs/etc/app.conf', 'port $PORT, $UUID\n');
  return rootfs;
}

interface Place extends Machine {
  readonly rootfs: string;
}

function placeIn(t: Parameters<typeof scratch>[0]): Place {
  const root = scratch(t);
  fs.mkdirSync(join(root, 'etc'));
  return { ...machineAt(root), rootfs: rootfsIn(scratch(t)) };
}

const NOTHING_SET = new Map<string, string>();

function request({ rootfs }: Place, setValues = NOTHING_SET): InstallRequest {
  return { ...{ image: 'app', rootfs, name: 'app', setValues, permissions: [] }, runtimePath: () => '/usr/bin/runc' };
}

function wish(setValues: ReadonlyMap<string, string> = NOTHING_SET): UpdateRequest {
  return {
    ...{ name: 'app', setValues, permissions: [], pullFirst: false, graceMs: 0 },
    defaultRuntime: () => '/usr/bin/crun',
  };
}

const confOf = ({ root }: Machine): string => fs.readFileSync(join(root, 'etc/app.conf'), 'utf8');

describe('update', needsRoot, () => {
  it('does nothing when the image is the same and no value changes', async (t) => {
    const place = placeIn(t);
    await installContainer(place.host, undefined, request(place, new Map([['PORT', '81']])));
    const before = snapshot(place);
    for (const values of [NOTHING_SET, new Map([['PORT', '81']])]) {
      const { outcome } = await updateContainer(place.host, undefined, wish(values));
      assert.equal(outcome, 'unchanged');
    }
    assert.deepEqual(snapshot(place), before);
    assert.equal(place.lines.at(-1), 'latest version already deployed');
  });

  it('takes new values, keeps those of earlier calls, the UUID and the runtime', async (t) => {
    const place = placeIn(t);
    const { deployment } = await installContainer(place.host, undefined, request(place, new Map([['EXTRA', 'x']])));
    const uuid = deployment.info.values.get('UUID');
    const { to } = await updateContainer(place.host, undefined, wish(new Map([['PORT', '82']])));
    assert.equal(confOf(place), `port 82, ${uuid}\n`);
    assert.deepEqual(
      [...(to.info.setValues ?? [])],
      [
        ['EXTRA', 'x'],
        ['PORT', '82'],
      ],
    );
    assert.deepEqual([to.slot, to.info.runtime], [1, '/usr/bin/runc']);
    assert.match(fs.readFileSync(join(place.places.units, 'app.service'), 'utf8'), /PORT=82/);
  });

  it('takes another runtime when one is named', async (t) => {
    const place = placeIn(t);
    await installContainer(place.host, undefined, request(place));
    const again = { ...wish(), runtimePath: '/usr/bin/runc' };
    assert.equal((await updateContainer(place.host, undefined, again)).outcome, 'unchanged');
    const { to } = await updateContainer(place.host, undefined, { ...wish(), runtimePath: '/usr/bin/crun' });
    assert.equal(to.info.runtime, '/usr/bin/crun');
  });

  it('and two rollbacks lead to the host as it was after the update', async (t) => {
    const place = placeIn(t);
    await installContainer(place.host, undefined, request(place));
    start(place);
    await updateContainer(place.host, undefined, wish(new Map([['PORT', '82']])));
    const updated = snapshot(place);
    const values = openContainer(place.places, 'app').active?.info.values;
    await rollBackContainer(place.host, 'app', { graceMs: 0 });
    assert.match(confOf(place), /^port 80,/);
    await rollBackContainer(place.host, 'app', { graceMs: 0 });
    assert.deepEqual(outside(snapshot(place)), outside(updated));
    assert.deepEqual(openContainer(place.places, 'app').active?.info.values, values);
  });

  it('leaves nothing behind when a value is wrong, and the service alone', async (t) => {
    const place = placeIn(t);
    await installContainer(place.host, undefined, request(place));
    start(place);
    const before = snapshot(place);
    fs.appendFileSync(join(place.rootfs, 'exports/service.template'), 'X=$MISSING\n');
    place.events.length = 0;
    await assert.rejects(updateContainer(place.host, undefined, wish(new Map([['PORT', '1']]))), {
      code: 'MISSING_VARIABLES',
    });
    assert.deepEqual(snapshot(place), before);
    assert.deepEqual(place.events, []);
  });

  it('tells what it would do, and does not do it', async (t) => {
    const place = placeIn(t);
    await installContainer(place.host, undefined, request(place));
    const before = snapshot(place);
    const plan = await planUpdate(place.host, undefined, wish(new Map([['PORT', '83']])));
    assert.ok(plan !== undefined && plan !== 'skipped');
    assert.equal(plan.slot, 1);
    assert.deepEqual(plan.hostFiles.lines, ['file /etc/app.conf deleted', 'copied /etc/app.conf']);
    assert.match(String(Buffer.from(plan.files[1]?.content ?? '')), /PORT=83/);
    assert.equal(await planUpdate(place.host, undefined, wish()), undefined);
    assert.deepEqual(snapshot(place), before);
  });

  it('has no previous deployment to go back to before there was one', async (t) => {
    const place = placeIn(t);
    await installContainer(place.host, undefined, request(place));
    await assert.rejects(rollBackContainer(place.host, 'app', { graceMs: 0 }), { code: 'NO_PREVIOUS_DEPLOYMENT' });
  });

  it('of all goes on after one that is broken', async (t) => {
    const place = placeIn(t);
    await installContainer(place.host, undefined, request(place));
    fs.symlinkSync('aaa.0', join(place.places.checkouts, 'aaa'));
    const { name: _, setValues: __, ...rest } = wish();
    const outcomes = await updateAll(place.host, undefined, rest, async () => undefined);
    assert.deepEqual(
      outcomes.map(({ name, result }) => [name, result?.outcome]),
      [
        ['aaa', undefined],
        ['app', 'unchanged'],
      ],
    );
  });
});

describe('install', needsRoot, () => {
  it('refuses a name that is taken, by a container or by a unit of somebody else, and changes nothing', async (t) => {
    const place = placeIn(t);
    fs.mkdirSync(place.places.units, { recursive: true });
    fs.writeFileSync(join(place.places.units, 'app.service'), '');
    await assert.rejects(installContainer(place.host, undefined, request(place)), { code: 'HOST_FILE_EXISTS' });
    fs.unlinkSync(join(place.places.units, 'app.service'));
    await installContainer(place.host, undefined, request(place));
    const before = snapshot(place);
    await assert.rejects(installContainer(place.host, undefined, request(place)), { code: 'CONTAINER_EXISTS' });
    assert.deepEqual(snapshot(place), before);
  });

  it('shows all that it would write, and writes none of it', async (t) => {
    const place = placeIn(t);
    const plan = await planInstallation(place.host, undefined, request(place));
    const names = plan.files.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
    assert.deepEqual(names, ['config.json', 'app.service']);
    assert.deepEqual(plan.hostFiles.lines, ['copied /etc/app.conf']);
    assert.equal(fs.existsSync(place.places.checkouts), false);
  });
});
