/** A disk that is full, or a file that cannot be changed, while a container is: the host is as before, or as wanted. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type SmallDisk, withSmallDisk } from '../support/full-disk.ts';
import { needs } from '../support/needs.ts';
import { must, OS_CONTAINERS } from '../support/program.ts';
import { makeScratch, removeTree } from '../support/scratch.ts';
import {
  activeInfo,
  activeSlot,
  type ContainerPlace,
  containerPlace,
  etcdImage,
  slotsIn,
  snapshot,
} from './os-containers-place.ts';

const NAME = 'registry.example.com/gscrivano/etcd:latest';
const SKIP = ['.ballast', 'lost+found', 'var/lib/containers'];
const KIB = 1024;
const file = (letter: string, size: number): string => `${letter.repeat(63)}\n`.repeat((size * KIB) / 64);

/** The second version needs more space, and each of its files is told by its content. */
const VERSIONS = {
  '1.0': { 'etc/etcd/a': file('a', 40), 'etc/etcd/etcd.conf': 'one\n', 'usr/local/bin/etcdctl': file('b', 8) },
  '2.0': {
    'etc/etcd/a': file('A', 4),
    'etc/etcd/etcd.conf': 'two\n',
    'etc/etcd/more': file('m', 60),
    'usr/local/bin/etcdctl': file('B', 80),
  },
} as const;

interface Scene {
  readonly place: ContainerPlace;
  readonly disk: SmallDisk;
  publish(version: keyof typeof VERSIONS): Promise<void>;
  /** When systemctl is called with this word for the next time, so much of the disk stays free. */
  fillAt(word: string, leave: number): void;
}

/** `full`: what lies on the small disk, the other one has room. */
async function withScene(full: 'root' | 'checkouts', use: (scene: Scene) => Promise<void>): Promise<void> {
  await withSmallDisk({ sizeKiB: full === 'root' ? 4096 : 8192 }, async (disk) => {
    const folder = makeScratch();
    try {
      const checkouts = full === 'root' ? join(folder, 'checkouts') : join(disk.path, 'checkouts');
      mkdirSync(checkouts, { mode: 0o755 });
      const root = full === 'root' ? disk.path : undefined;
      const place = containerPlace(folder, OS_CONTAINERS, { root, checkouts });
      await use({ place, disk, ...hooks(folder, place, disk) });
    } finally {
      removeTree(folder);
    }
  });
}

function hooks(folder: string, place: ContainerPlace, disk: SmallDisk): Pick<Scene, 'publish' | 'fillAt'> {
  const systemctl = join(place.systemd.bin, 'systemctl');
  const hook = join(folder, 'hook');
  renameSync(systemctl, `${systemctl}.fake`);
  writeFileSync(systemctl, `#!/bin/sh\nif [ -e ${hook} ]; then . ${hook}; fi\nexec ${systemctl}.fake "$@"\n`);
  chmodSync(systemctl, 0o755);
  return {
    async publish(version) {
      const image = await etcdImage(join(folder, 'image'), version, { hostFiles: VERSIONS[version] });
      const { status, stderr } = await place.run(['pull', '--name', NAME, image]);
      assert.equal(status, 0, stderr);
    },
    fillAt(word, leave) {
      const free = `$(stat -f -c '%a * %S' ${disk.path})`;
      const fill = `fallocate -l $(( ${free} - ${leave} )) ${disk.path}/.ballast`;
      writeFileSync(hook, `case " $* " in *' ${word} '*) rm ${hook}; sync -f ${disk.path}; ${fill} ;; esac\n`);
    },
  };
}

async function install({ place, publish }: Scene): Promise<void> {
  await publish('1.0');
  await place.did('install', NAME);
  place.systemd.set('etcd', { active: true });
}

/** All that an administrator would look at. */
function state(place: ContainerPlace): Readonly<Record<string, unknown>> {
  return {
    files: snapshot(place.root, SKIP),
    slot: existsSync(join(place.checkouts, 'etcd')) ? activeSlot(place, 'etcd') : undefined,
    info: activeInfo(place, 'etcd'),
    slots: slotsIn(place),
    journals: existsSync(join(place.checkouts, '.state/etcd.journal')),
    service: [place.systemd.isActive('etcd'), place.systemd.isEnabled('etcd')],
  };
}

/** What counts after the way to the new version and back, on which `info` gets another time. */
function told(place: ContainerPlace, found = state(place)): unknown {
  return { ...found, info: undefined, slots: undefined };
}

async function goBack(place: ContainerPlace, first: readonly string[]): Promise<void> {
  for (const command of [...first, 'rollback']) await place.did(command, '--wait', '0', 'etcd');
}

const skip = needs('loop-mount', 'root');

describe('a host whose disk is full while host files are copied', { skip, timeout: 600_000 }, () => {
  it('has its container as it was, running, and updates it once there is room', async (t) => {
    await withScene('root', async (scene) => {
      const { place, disk, publish, fillAt } = scene;
      await install(scene);
      await publish('2.0');
      const before = state(place);
      for (const kib of [0, 2, 6, 50, 90]) {
        fillAt('disable', kib * KIB);
        const { status, stderr } = await place.run(['update', '--wait', '0', 'etcd']);
        await disk.release();
        t.diagnostic(`${kib} KiB: ${stderr.split('\n').at(-2)}`);
        assert.equal(status, 1, `${kib} KiB: ${stderr}`);
        assert.match(stderr, /no space left/);
        assert.deepEqual(state(place), before, `${kib} KiB: ${stderr}`);
      }
      await place.did('update', '--wait', '0', 'etcd');
      assert.equal(activeSlot(place, 'etcd'), 'etcd.1');
      assert.equal(readFileSync(join(place.root, 'etc/etcd/more'), 'utf8'), VERSIONS['2.0']['etc/etcd/more']);
      assert.equal(place.systemd.isActive('etcd'), true);
    });
  });

  it('can have its container uninstalled', async () => {
    await withScene('root', async (scene) => {
      const { place, disk, fillAt } = scene;
      const before = snapshot(place.root, SKIP);
      await install(scene);
      fillAt('disable', 0);
      await place.did('uninstall', 'etcd');
      await disk.release();
      assert.deepEqual(snapshot(place.root, SKIP), before);
      assert.deepEqual(slotsIn(place), []);
    });
  });

  it('keeps nothing of an installation', async () => {
    await withScene('root', async ({ place, disk, publish }) => {
      await publish('1.0');
      const before = state(place);
      await disk.fill(30 * KIB);
      const { status, stderr } = await place.run(['install', NAME]);
      await disk.release();
      assert.equal(status, 1, stderr);
      assert.match(stderr, /free space|no space left/);
      assert.deepEqual(state(place), before);
    });
  });
});

describe('deployments on a disk that is full', { skip, timeout: 600_000 }, () => {
  it('lose nothing: a change that fails is taken back, at once or by the next command that has room', async (t) => {
    await withScene('checkouts', async (scene) => {
      const { place, disk, publish, fillAt } = scene;
      await install(scene);
      await publish('2.0');
      const before = state(place);
      for (const word of ['disable', 'daemon-reload', 'enable']) {
        for (const leave of [0, 4096]) {
          fillAt(word, leave);
          const { status, stderr } = await place.run(['update', '--wait', '0', 'etcd']);
          await disk.release();
          t.diagnostic(`${word}, ${leave}: ${status}: ${stderr.split('\n').at(-2)}`);
          if (status !== 0) assert.match(stderr, /no space left/);
          const isOpen = status === 0 || existsSync(join(place.checkouts, '.state/etcd.journal'));
          if (isOpen) await goBack(place, status === 0 ? [] : ['update']);
          const [found, wanted] = isOpen ? [told(place), told(place, before)] : [state(place), before];
          assert.deepEqual(found, wanted, `${word}, ${leave}: ${stderr}`);
        }
      }
    });
  });
});

describe('a host file that cannot be deleted', {
  skip: needs('loop-mount', 'root', 'chattr'),
  timeout: 300_000,
}, () => {
  it('is told of, the work goes on, and a later command deletes it', async () => {
    await withScene('root', async (scene) => {
      const { place, publish } = scene;
      const path = join(place.root, 'etc/etcd/more');
      const before = snapshot(place.root, SKIP);
      await publish('2.0');
      await place.did('install', NAME);
      await must('chattr', ['+i', path]);
      try {
        await publish('1.0');
        const lines = await place.did('update', '--wait', '0', 'etcd');
        assert.ok(
          lines.some((line) => line.startsWith('could not delete /etc/etcd/more: EPERM')),
          lines.join('\n'),
        );
        assert.equal(activeSlot(place, 'etcd'), 'etcd.1');
        assert.equal(readFileSync(join(place.root, 'etc/etcd/etcd.conf'), 'utf8'), 'one\n');
        const files = activeInfo(place, 'etcd')?.['installed-files'];
        assert.ok(Array.isArray(files) && files.includes('/etc/etcd/more'));
      } finally {
        await must('chattr', ['-i', path]);
      }
      await place.did('uninstall', 'etcd');
      assert.deepEqual(snapshot(place.root, SKIP), before);
    });
  });

  it('is left behind by the removal of its container, which goes on', async () => {
    await withScene('root', async (scene) => {
      const { place } = scene;
      await install(scene);
      const path = join(place.root, 'etc/etcd/etcd.conf');
      await must('chattr', ['+i', path]);
      try {
        const lines = await place.did('uninstall', 'etcd');
        assert.ok(
          lines.some((line) => line.startsWith('could not delete /etc/etcd/etcd.conf: EPERM')),
          lines.join('\n'),
        );
        assert.deepEqual(slotsIn(place), []);
        assert.equal(existsSync(join(place.root, 'usr/local/bin/etcdctl')), false);
        assert.equal(readFileSync(path, 'utf8'), 'one\n');
      } finally {
        await must('chattr', ['-i', path]);
      }
      rmSync(path);
    });
  });
});
