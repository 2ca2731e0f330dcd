// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what templates look like
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDetached } from './exec-lines.ts';
import { FORCED } from './settings.ts';
import { type ValuesRequest, valuesFor } from './values.ts';

const SYSTEM = {
  scope: 'system',
  uid: 0,
  gid: 0,
  directories: { run: '/run', state: '/var/lib', conf: '/etc' },
} as const;
const USER = {
  scope: 'user',
  uid: 1000,
  gid: 1001,
  directories: { run: '/run/user/1000', state: '/home/u/.data', conf: '/home/u/.config' },
} as const;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ATTACHED = Buffer.from('ExecStart=$EXEC_START\n');
const DETACHED = Buffer.from('PIDFile=${PIDFILE}\nExecStopPost=$EXEC_STOPPOST\n');

const values = (more: Partial<ValuesRequest> = {}): ReadonlyMap<string, string> =>
  valuesFor({
    places: SYSTEM,
    name: 'etcd',
    deploymentPath: '/var/lib/containers/atomic/etcd.0',
    image: 'docker.io/example/etcd',
    imageId: 'ab12',
    runtimePath: '/usr/bin/runc',
    runtimeFeatures: { systemdCgroup: true, pidFile: true },
    unitTemplate: ATTACHED,
    defaults: new Map(),
    setValues: new Map(),
    program: '/usr/bin/os-containers',
    lastCapability: 1,
    ...more,
  });

const map = (given: Record<string, string>) => new Map(Object.entries(given));

describe('the values of a deployment', () => {
  it('are these for root', () => {
    const { UUID: uuid, ...others } = Object.fromEntries(values());
    assert.match(uuid ?? '', UUID);
    assert.deepEqual(others, {
      ALL_PROCESS_CAPABILITIES: '"CAP_CHOWN",\n"CAP_DAC_OVERRIDE"\n',
      ATOMIC: '/usr/bin/os-containers',
      CONF_DIRECTORY: '/etc',
      DESTDIR: '/var/lib/containers/atomic/etcd.0',
      EXEC_START: "/usr/bin/runc --systemd-cgroup run 'etcd'",
      EXEC_STARTPRE: "-/usr/bin/runc delete --force 'etcd'",
      EXEC_STOP: "/usr/bin/runc kill 'etcd'",
      EXEC_STOPPOST: '',
      HOST_GID: '0',
      HOST_UID: '0',
      IMAGE_ID: 'ab12',
      IMAGE_NAME: 'docker.io/example/etcd',
      NAME: 'etcd',
      PIDFILE: '/run/container-etcd.pid',
      RUNTIME: '/usr/bin/runc',
      RUN_DIRECTORY: '/run',
      STATE_DIRECTORY: '/var/lib',
    });
  });

  it('are those of the user for a user, also against defaults of the image', () => {
    const found = values({
      places: USER,
      defaults: map({ CONF_DIRECTORY: '/etc', STATE_DIRECTORY: '/srv', OTHER: 'x' }),
    });
    assert.deepEqual(
      [
        'RUN_DIRECTORY',
        'STATE_DIRECTORY',
        'CONF_DIRECTORY',
        'HOST_UID',
        'HOST_GID',
        'PIDFILE',
        'EXEC_START',
        'OTHER',
      ].map((name) => found.get(name)),
      [
        '/run/user/1000',
        '/home/u/.data',
        '/home/u/.config',
        '1000',
        '1001',
        '/run/user/1000/container-etcd.pid',
        "/usr/bin/runc run 'etcd'",
        'x',
      ],
    );
  });

  it('may be changed by the image for root', () => {
    const found = values({
      defaults: map({ STATE_DIRECTORY: '/srv', RUN_DIRECTORY: '/run/x', UUID: 'fixed', NAME: 'evil' }),
    });
    assert.equal(found.get('STATE_DIRECTORY'), '/srv');
    assert.equal(found.get('PIDFILE'), '/run/x/container-etcd.pid');
    assert.equal(found.get('UUID'), 'fixed');
    assert.equal(found.get('NAME'), 'etcd');
  });

  it('are those that the user sets before all that can be set', () => {
    for (const places of [SYSTEM, USER]) {
      const found = values({
        places,
        defaults: map({ A: 'image', CONF_DIRECTORY: '/etc' }),
        setValues: map({ A: 'user', CONF_DIRECTORY: '/conf', PIDFILE: '/p', RUNTIME: '/r', HOST_UID: '7' }),
        unitTemplate: DETACHED,
      });
      assert.deepEqual([found.get('A'), found.get('CONF_DIRECTORY'), found.get('RUNTIME')], ['user', '/conf', '/r']);
      assert.match(found.get('EXEC_START') ?? '', /^\/usr\/bin\/runc .* --pid-file \/p 'etcd'$/);
      assert.equal(found.get('HOST_UID'), String(places.uid));
    }
  });

  it('never hold another value for what is forced', () => {
    const evil = new Map(FORCED.map((name) => [name, 'evil']));
    const found = values({ defaults: evil, setValues: evil });
    assert.ok(FORCED.every((name) => found.get(name) !== 'evil' && found.has(name)));
  });

  it('keep over an update what the user set and the UUID, and not old defaults', () => {
    const previous = {
      values: map({ UUID: 'u-1', A: 'old default', PIDFILE: '/old', B: '1' }),
      setValues: map({ B: '1', C: '2' }),
    };
    const found = values({ previous, defaults: map({ A: 'new default', B: '9' }), setValues: map({ C: '3' }) });
    assert.deepEqual(
      ['UUID', 'A', 'B', 'C', 'PIDFILE'].map((name) => found.get(name)),
      ['u-1', 'new default', '1', '3', '/run/container-etcd.pid'],
    );
  });

  it('have another UUID in every installation', () => assert.notEqual(values().get('UUID'), values().get('UUID')));

  it('name the image by its digest alone', () =>
    assert.equal(values({ imageId: 'sha256:ab12' }).get('IMAGE_ID'), 'ab12'));

  it('name capabilities as the kernel has them', () => {
    const all: unknown = JSON.parse(`[${values({ lastCapability: undefined }).get('ALL_PROCESS_CAPABILITIES')}]`);
    assert.ok(Array.isArray(all) && all.length >= 38 && all[37] === 'CAP_AUDIT_READ' && all[21] === 'CAP_SYS_ADMIN');
    const future = JSON.parse(`[${values({ lastCapability: 60 }).get('ALL_PROCESS_CAPABILITIES')}]`);
    assert.equal(future.length, 41); // none that no runtime knows
    assert.equal(future[40], 'CAP_CHECKPOINT_RESTORE');
  });
});

describe('a service', () => {
  const features = { systemdCgroup: true, pidFile: true };

  for (const [what, unit, detached] of [
    ['whose unit uses both variables', '$PIDFILE ${EXEC_STOPPOST}', true],
    ['whose unit uses PIDFILE alone', '$PIDFILE', false],
    ['whose unit uses EXEC_STOPPOST alone', '$EXEC_STOPPOST', false],
    ['whose unit only has the words', 'PIDFILE $$PIDFILE EXEC_STOPPOST', false],
    ['whose unit uses longer names', '$PIDFILE2 $EXEC_STOPPOST2', false],
  ] as const) {
    it(`${what} is ${detached ? '' : 'not '}detached`, () =>
      assert.equal(isDetached(Buffer.from(unit), features), detached));
  }

  it('without a unit of its own is detached', () => assert.equal(isDetached(undefined, features), true));

  it('is not detached when the runtime cannot write the file', () => {
    assert.equal(isDetached(DETACHED, { ...features, pidFile: false }), false);
    assert.equal(isDetached(undefined, { ...features, pidFile: false }), false);
  });

  it('that is detached has these lines', () => {
    const found = values({ unitTemplate: DETACHED });
    assert.equal(
      found.get('EXEC_START'),
      "/usr/bin/runc --systemd-cgroup run -d --pid-file /run/container-etcd.pid 'etcd'",
    );
    assert.equal(found.get('EXEC_STOP'), '');
    assert.equal(found.get('EXEC_STOPPOST'), "/usr/bin/runc delete 'etcd'");
  });

  it('has no control group of systemd with a runtime that cannot make one', () => {
    const found = values({ runtimeFeatures: { systemdCgroup: false, pidFile: true } });
    assert.equal(found.get('EXEC_START'), "/usr/bin/runc run 'etcd'");
  });
});
