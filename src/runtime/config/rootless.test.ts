import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { runProgram } from '../../linux/processes/spawn.ts';
import { exampleConfig, makeRootfs, programPath } from '../bundle.fixture.ts';
import { formatConfig, parseRuntimeConfig, type RuntimeConfig } from './config.ts';
import { type RootlessOptions, rootlessConfig } from './rootless.ts';

const NO_IDS = { uids: [], gids: [], hasNewuidmap: true };
const RANGES = {
  uids: [
    { first: 200000, count: 10 },
    { first: 400000, count: 5 },
  ],
  gids: [{ first: 300000, count: 20 }],
  hasNewuidmap: true,
};

const parse = (value: unknown): RuntimeConfig => parseRuntimeConfig(Buffer.from(JSON.stringify(value)), 'config.json');
function adapt(value: unknown, ids: RootlessOptions['ids'] = RANGES) {
  const { config, warnings } = rootlessConfig(parse(value), { uid: 1000, gid: 1001, ids });
  return { json: JSON.parse(Buffer.from(formatConfig(config)).toString()), warnings };
}

/** What an image for root says. */
function rootsConfig(script: string): Record<string, unknown> {
  const base = exampleConfig(script);
  return {
    ...base,
    mounts: [
      ...(base['mounts'] as unknown[]),
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      { destination: '/data', type: 'bind', source: '/etc', options: ['rbind', 'ro', 'dev', 'suid'] },
    ],
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }], memory: { limit: 10_000_000 } },
      cgroupsPath: 'system.slice:runc:kvd',
      sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '8192' },
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
    },
  };
}

describe('a configuration for an ordinary user', () => {
  it('maps root of the container to the user, and the ranges from 1 on', () => {
    const { linux } = adapt(rootsConfig('')).json;
    assert.deepEqual(linux.uidMappings, [
      { containerID: 0, hostID: 1000, size: 1 },
      { containerID: 1, hostID: 200000, size: 10 },
      { containerID: 11, hostID: 400000, size: 5 },
    ]);
    assert.deepEqual(linux.gidMappings, [
      { containerID: 0, hostID: 1001, size: 1 },
      { containerID: 1, hostID: 300000, size: 20 },
    ]);
    assert.ok(linux.namespaces.some(({ type }: { type: string }) => type === 'user'));
  });

  it('maps one id without ranges, or without the program for them, and says what that means', () => {
    for (const ids of [NO_IDS, { ...RANGES, hasNewuidmap: false }]) {
      const { json, warnings } = adapt(exampleConfig(''), ids);
      assert.deepEqual(json.linux.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
      assert.equal(warnings.filter((each) => each.includes('only one id')).length, 1);
    }
    assert.deepEqual(adapt(exampleConfig('')).warnings, []);
  });

  it('keeps a user namespace and mappings that it has', () => {
    const uidMappings = [{ containerID: 5, hostID: 7, size: 9 }];
    const namespaces = [{ type: 'user', path: '/proc/1/ns/user' }];
    const { json } = adapt({ ...exampleConfig(''), linux: { namespaces, uidMappings } });
    assert.deepEqual(json.linux.uidMappings, uidMappings);
    assert.deepEqual(json.linux.namespaces, namespaces);
  });

  it('has no resources and no place among the cgroups', () => {
    const { linux } = adapt(rootsConfig('')).json;
    assert.deepEqual([linux.resources, linux.cgroupsPath], [undefined, undefined]);
  });

  it('gets the place among the cgroups that is asked for, and no other', () => {
    const options = { uid: 1000, gid: 1001, ids: RANGES, cgroupsPath: 'kvd.service/container' };
    const { config } = rootlessConfig(parse(rootsConfig('')), options);
    assert.equal((config.json['linux'] as { cgroupsPath?: unknown }).cgroupsPath, 'kvd.service/container');
  });

  it('has no terminal and a root that is read only', () => {
    const { json } = adapt({ process: { terminal: true, args: ['x'] }, root: { path: 'rootfs' } });
    assert.deepEqual([json.process.terminal, json.root], [false, { path: 'rootfs', readonly: true }]);
  });

  it('shares the network of the host when nobody would configure one of its own, and says which settings go with it', () => {
    const { json, warnings } = adapt(rootsConfig(''));
    assert.ok(!json.linux.namespaces.some(({ type }: { type: string }) => type === 'network'));
    assert.deepEqual(json.linux.sysctl, { 'kernel.msgmax': '8192' });
    assert.deepEqual(
      warnings.map((each) => each.includes('net.ipv4.ip_forward')),
      [true],
    );
    const sys = json.mounts.find(({ destination }: { destination: string }) => destination === '/sys');
    assert.deepEqual(sys, {
      destination: '/sys',
      type: 'none',
      source: '/sys',
      options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
    });
  });

  for (const [what, more] of [
    ['that exists already', { linux: { namespaces: [{ type: 'network', path: '/run/netns/x' }] } }],
    [
      'that a hook would configure',
      { linux: { namespaces: [{ type: 'network' }] }, hooks: { createRuntime: [{ path: '/x' }] } },
    ],
  ] as const) {
    it(`keeps a network ${what}, and its own /sys`, () => {
      const mounts = [{ destination: '/sys', type: 'sysfs', source: 'sysfs' }];
      const { json } = adapt({ ...exampleConfig(''), ...more, mounts });
      assert.deepEqual(json.linux.namespaces[0], more.linux.namespaces[0]);
      assert.equal(json.mounts[0].type, 'sysfs');
    });
  }

  it('has no devices and no setuid programs outside of /dev, and terminals without the group tty', () => {
    const options = new Map<string, string[]>(
      adapt(rootsConfig('')).json.mounts.map((each: { destination: string; options: string[] }) => [
        each.destination,
        each.options,
      ]),
    );
    assert.deepEqual(options.get('/data'), ['rbind', 'ro', 'nodev', 'nosuid']);
    assert.deepEqual(options.get('/proc'), ['nodev', 'nosuid']);
    assert.deepEqual(options.get('/dev'), ['nosuid', 'mode=755', 'size=65536k']);
    assert.deepEqual(options.get('/dev/pts'), ['newinstance', 'ptmxmode=0666', 'mode=0620']);
  });

  it('that runs as somebody who is not mapped says so', () => {
    const { warnings } = adapt({ ...exampleConfig(''), process: { args: ['x'], user: { uid: 16, gid: 20 } } });
    assert.deepEqual(warnings, ['the container runs as user 16, which is not mapped']);
  });

  it('gets the additional groups that are mapped, and says which are not', () => {
    const process = { args: ['x'], user: { uid: 0, gid: 0, additionalGids: [20, 5, 21] } };
    const { json, warnings } = adapt({ ...exampleConfig(''), process });
    assert.deepEqual(json.process.user, { uid: 0, gid: 0, additionalGids: [20, 5] });
    assert.deepEqual(warnings, ['the container does not get the additional groups 21, which are not mapped']);
    assert.deepEqual(adapt({ ...exampleConfig(''), process }, NO_IDS).json.process.user, { uid: 0, gid: 0 });
  });

  it('adapted twice is the same', () => {
    const once = rootlessConfig(parse(rootsConfig('')), { uid: 1000, gid: 1001, ids: RANGES }).config;
    const twice = rootlessConfig(once, { uid: 1000, gid: 1001, ids: RANGES });
    assert.deepEqual(formatConfig(twice.config), formatConfig(once));
    assert.deepEqual(twice.warnings, []);
  });
});

/** Somebody whom every Linux has a name for, as newuidmap wants it. */
const DAEMON = 1;

describe('a container of an ordinary user', {
  skip: needs('root', 'mount', 'runc', 'busybox', 'setpriv', 'unshare'),
}, () => {
  const run = async (dir: string, script: string, ids: RootlessOptions['ids'], before: string) => {
    chmodSync(dir, 0o755);
    makeRootfs(dir);
    const runtimeDir = join(dir, 'run');
    mkdirSync(runtimeDir, { mode: 0o700 });
    chownSync(runtimeDir, DAEMON, DAEMON);
    const { config } = rootlessConfig(parse(rootsConfig(script)), { uid: DAEMON, gid: DAEMON, ids });
    writeFileSync(join(dir, 'config.json'), formatConfig(config), { mode: 0o644 });
    const asDaemon = `exec setpriv --reuid=${DAEMON} --regid=${DAEMON} --clear-groups env XDG_RUNTIME_DIR=${runtimeDir}`;
    const call = `${before} ${asDaemon} ${programPath('runc')} run --bundle ${dir} test-rootless-${process.pid}`;
    return await runProgram('unshare', ['--mount', 'sh', '-ec', call]);
  };

  it('runs under runc with one id', async (t) => {
    const { stdout, stderr } = await run(
      scratch(t),
      'id; cat /proc/self/uid_map; cat /data/hostname; ls -d /sys/class/net/lo',
      NO_IDS,
      '',
    );
    const [id, map, ...rest] = stdout.split('\n');
    assert.equal(id, 'uid=0 gid=0', stderr);
    assert.match(map ?? '', /^ +0 +1 +1$/);
    assert.ok(rest.includes('/sys/class/net/lo'));
  });

  it('has the ids of its ranges', { skip: needs('newuidmap') }, async (t) => {
    const dir = scratch(t);
    writeFileSync(join(dir, 'subuid'), 'daemon:200000:10\ndaemon:400000:5\n');
    writeFileSync(join(dir, 'subgid'), 'daemon:300000:20\n');
    const ranges = `mount --bind ${dir}/subuid /etc/subuid; mount --bind ${dir}/subgid /etc/subgid;`;
    const { stdout, stderr } = await run(dir, 'cat /proc/self/uid_map /proc/self/gid_map', RANGES, ranges);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ +/).map(Number));
    assert.deepEqual(
      lines,
      [
        [0, 1, 1],
        [1, 200000, 10],
        [11, 400000, 5],
        [0, 1, 1],
        [1, 300000, 20],
      ],
      stderr,
    );
  });
});
