/**
 * `os-containers` on a booted systemd with runc: the example images from a registry, installed, started, reached over
 * HTTP, updated, broken, rolled back, uninstalled, and a reboot in the middle of an update. Loaded twice, on the host
 * and in the machine: `support-machine.ts`.
 */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FakeRegistry, startFakeRegistry } from '../support/fake-registry.ts';
import type { MachineFile } from '../support/machine.ts';
import { attempt, boot, type Outcome, reboot, sh, waitFor } from '../support/machine-agent.ts';
import { exampleImages } from '../support/system-images.ts';
import { etcdImage, type Snapshot, snapshot } from './os-containers-place.ts';
import {
  describeMachine,
  INSIDE,
  journal,
  messages,
  property,
  runScenarios,
  type Scenarios,
  succeeded,
} from './support-machine.ts';

const CHECKOUTS = '/var/lib/containers/atomic';
/** Where the layouts of the images lie in the machine. */
const LAYOUTS = '/layouts';

const FILES: Readonly<Record<string, MachineFile>> = {
  '/usr/bin/os-containers': {
    content: '#!/bin/sh\nexec /usr/bin/node /t/dist/src/cli/os-containers/main.js "$@"\n',
    mode: 0o755,
  },
};

/** Fixed, for what survives the reboot refers to it. */
let registry: FakeRegistry | undefined;
const host = (): string => registry?.host ?? '';

/** Put a version of an example image into the registry under a tag. */
async function publish(image: string, version: string, tag = version): Promise<string> {
  registry ??= await startFakeRegistry();
  const target = `${host()}/example/${image}:${tag}`;
  await sh(
    `node /t/dist/src/cli/ostree-container/main.js image copy --quiet --insecure-policy --dest-tls-verify=false ` +
      `oci:${LAYOUTS}/${image}:${version} docker://${target}`,
  );
  return target;
}

const containers = (words: string): Promise<Outcome> => attempt(`os-containers ${words}`);
const done = async (words: string): Promise<Outcome> => succeeded(await containers(words));
const pull = (image: string): Promise<Outcome> => done(`pull --insecure ${image}`);

/** What the daemon answers, when it does. */
async function ask(key: string): Promise<string> {
  return waitFor(`kvd to answer for ${key}`, async () => {
    try {
      const answer = await fetch(`http://127.0.0.1:2390/cgi-bin/kv?${key}`);
      return answer.ok ? await answer.text() : undefined;
    } catch {
      return undefined; // not listening yet
    }
  });
}

async function store(key: string, value: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:2390/cgi-bin/kv?${key}`, { method: 'POST', body: value });
  assert.equal(answer.status, 200);
}

/** The part of the host that installations could touch. */
function hostTree(): Snapshot {
  const trees = ['/etc', '/usr/local', '/var/lib/tmpfiles-none', '/opt'].filter((path) => existsSync(path));
  const skip = ['systemd/system/graphical.target.wants', 'machine-id', 'resolv.conf', 'mtab'];
  return Object.assign(
    {},
    ...trees.map((tree) =>
      Object.fromEntries(Object.entries(snapshot(tree, skip)).map(([path, facts]) => [`${tree}/${path}`, facts])),
    ),
  );
}

const lastSaid = (unit: string): readonly string[] => messages(journal(`_SYSTEMD_UNIT=${unit}`, '+', `UNIT=${unit}`));
const said = (unit: string, text: string | RegExp): Promise<true> =>
  waitFor(`${unit} to say ${text}`, () =>
    lastSaid(unit).some((line) => (typeof text === 'string' ? line.includes(text) : text.test(line))),
  ) as Promise<true>;

const SIGTERM_CAUGHT = 1n << 14n;

/** Until its handler is there the first process of a container ignores the signal, and a stop takes its whole timeout. */
function listens(name: string): Promise<true> {
  return waitFor(`${name} to listen to signals`, async () => {
    const { stdout } = await attempt(`runc exec ${name} cat /proc/1/status`);
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(stdout)?.[1];
    return caught !== undefined && (BigInt(`0x${caught}`) & SIGTERM_CAUGHT) !== 0n;
  }) as Promise<true>;
}

const slotOf = (name: string): string => readlinkSync(join(CHECKOUTS, name)).split('/').at(-1) ?? '';

let before: Snapshot = {};
let kvdImage = '';

const first: Scenarios = {
  'kvd is pulled, installed, started, and answers over HTTP': async () => {
    kvdImage = await publish('kvd', '1.0', 'latest');
    before = hostTree();
    await pull(kvdImage);
    const { stderr } = await done(`install ${kvdImage}`);
    assert.match(
      stderr,
      /copied \/etc\/kvd\/kvd\.conf\n.*copied \/usr\/local\/bin\/kvdctl\n.*systemctl daemon-reload\n/,
    );
    assert.equal(await property('kvd.service', 'ActiveState'), 'inactive');
    await sh('systemctl start kvd');
    await said('kvd.service', /kvd 1\.0 \(kvd, [0-9a-f-]{36}\) listening/);
    await store('greeting', 'hello');
    assert.equal(await ask('greeting'), 'hello');
    assert.match((await done('list')).stdout, /kvd .* Running /);
    assert.equal(statSync('/var/lib/kvd/greeting').size, 5);
  },

  'a second pull fetches nothing, and one of the next version its one new layer': async () => {
    const blobs = (): number => registry?.requestsFor(/\/blobs\//, 'GET').length ?? 0;
    const asked = blobs();
    await pull(kvdImage);
    assert.equal(blobs(), asked);
    await publish('kvd', '2.0', 'latest');
    await pull(kvdImage);
    assert.equal(blobs(), asked + 2, 'one layer and the configuration');
  },

  'an update serves the new version with the old data, and deleted files stay deleted': async () => {
    assert.ok(existsSync(`${CHECKOUTS}/kvd/rootfs/usr/share/kvd/release-notes`));
    await done('update kvd --wait 1');
    assert.equal(slotOf('kvd'), 'kvd.1');
    await said('kvd.service', /kvd 2\.0 /);
    assert.equal(await ask('greeting'), 'hello');
    assert.equal(existsSync(`${CHECKOUTS}/kvd/rootfs/usr/share/kvd/release-notes`), false);
    assert.equal(await sh(`find ${CHECKOUTS}/kvd.0 ${CHECKOUTS}/kvd.1 -name '.wh.*'`), '');
    const inode = (slot: string): number => lstatSync(`${CHECKOUTS}/${slot}/rootfs/bin/busybox`).ino;
    assert.equal(inode('kvd.0'), inode('kvd.1'));
    assert.match(readFileSync('/usr/local/bin/kvdctl', 'utf8'), /kvdctl 2\.0/);
  },

  'a version that does not start is taken back, and the service answers again': async () => {
    const host = hostTree();
    const image = await publish('broken', '3.0');
    await pull(image);
    const ended = await containers(`update kvd --wait 3 --rebase ${image}`);
    assert.equal(ended.status, 1, ended.stderr);
    assert.match(ended.stderr, /Could not restart kvd\. {2}Attempt automatic rollback/);
    assert.equal(slotOf('kvd'), 'kvd.1');
    assert.deepEqual(hostTree(), host);
    assert.equal(await property('kvd.service', 'ActiveState'), 'active');
    assert.equal(await ask('greeting'), 'hello');
    assert.match((await done('update kvd')).stderr, /latest version already deployed/);
  },

  'a rollback by hand serves the old version at once, and a second one the new version': async () => {
    await done('rollback kvd --wait 1');
    assert.equal(await ask('greeting'), 'hello');
    assert.doesNotMatch(readFileSync('/usr/local/bin/kvdctl', 'utf8'), /kvdctl 2\.0/);
    await done('rollback kvd --wait 1');
    assert.match(readFileSync('/usr/local/bin/kvdctl', 'utf8'), /kvdctl 2\.0/);
    assert.equal(await ask('greeting'), 'hello');
  },

  'a command in the running container, and its status': async () => {
    const ended = await containers("run kvd sh -c 'echo in $HOSTNAME; cat /proc/1/comm; exit 7'");
    assert.equal(ended.status, 7, ended.stderr);
    const ours = await containers('run kvd ls -l /usr/bin/kvd');
    assert.equal(ours.status, 0, ours.stderr);
    assert.match(ours.stdout, /kvd/);
  },

  'uninstalling leaves nothing on the host but the data, and loses nothing': async () => {
    writeFileSync('/etc/kvd/kvd.conf', '# mine\n');
    await done('uninstall kvd');
    assert.equal(readFileSync('/etc/kvd/kvd.conf', 'utf8'), '# mine\n');
    await sh('rm -r /etc/kvd');
    assert.deepEqual(hostTree(), before);
    assert.equal(await property('kvd.service', 'LoadState'), 'not-found');
    assert.equal(readFileSync('/var/lib/kvd/greeting', 'utf8'), 'hello');
    assert.equal(await sh('runc list -q'), '');
  },

  'ticker says what it lacks, runs detached, reloads no more than it should, and stops at once': async () => {
    const image = await publish('ticker', '1.0', 'latest');
    await pull(image);
    const refused = await containers(`install ${image}`);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /MESSAGE/);
    assert.equal(existsSync(`${CHECKOUTS}/ticker.0`), false);
    await done(`install --set MESSAGE=tick --set INTERVAL=1 ${image}`);
    await sh('systemctl start ticker');
    assert.equal(await property('ticker.service', 'ActiveState'), 'active');
    await listens('ticker');
    const began = Date.now();
    await sh('systemctl stop ticker');
    assert.ok(Date.now() - began < 20_000);
    await sh('systemctl start ticker');
    await listens('ticker');
    await done('update ticker --wait 1 --set MESSAGE=tock');
    await listens('ticker');
    assert.equal(slotOf('ticker'), 'ticker.1');
    assert.match(readFileSync(`${CHECKOUTS}/ticker/config.json`, 'utf8'), /MESSAGE=tock/);
    assert.equal(await property('ticker.service', 'ActiveState'), 'active');
    await done('uninstall ticker');
  },

  'banner copies its files, and systemd is not asked': async () => {
    const clean = hostTree();
    const image = await publish('banner', '1.0', 'latest');
    await pull(image);
    const { stderr } = await done(`install ${image}`);
    assert.doesNotMatch(stderr, /systemctl/);
    assert.match(readFileSync('/etc/issue.d/50-banner.issue', 'utf8'), /the operations team/);
    assert.equal(readlinkSync('/usr/local/share/banner/latest'), 'README');
    assert.match(readFileSync('/usr/local/share/banner/README', 'utf8'), /\$OWNER is not replaced/);
    await done('uninstall banner');
    assert.deepEqual(hostTree(), clean);
  },

  'bare gets a unit and a configuration of its own, and runs': async () => {
    const image = await publish('bare', '1.0', 'latest');
    await pull(image);
    await done(`install ${image}`);
    await sh('systemctl start bare');
    assert.equal(await property('bare.service', 'ActiveState'), 'active');
    await listens('bare');
    await done('uninstall bare');
    assert.equal(await sh('runc list -q'), '');
  },

  'an image of which a command is run needs no installation, and leaves nothing': async () => {
    const clean = hostTree();
    const ended = await containers(`run ${host()}/example/bare:latest sh -c 'exit 5'`);
    assert.equal(ended.status, 5, ended.stderr);
    assert.deepEqual(hostTree(), clean);
    assert.equal(await sh(`ls ${CHECKOUTS}/.storage/repo/tmp | grep -v cache || true`), '');
  },

  'a user installs and starts a container in the home directory, and nothing lands outside': async () => {
    await sh('useradd -m -s /bin/sh joe; loginctl enable-linger joe');
    await waitFor('the manager of joe', () => existsSync('/run/user/1000/bus'), 30_000);
    const as = (command: string): Promise<Outcome> =>
      attempt(
        'setpriv --reuid=1000 --regid=1000 --init-groups --reset-env env HOME=/home/joe XDG_RUNTIME_DIR=/run/user/1000 ' +
          `DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus PATH=/usr/bin:/bin:/usr/sbin sh -c '${command}'`,
      );
    const mark = '/run/before-joe';
    writeFileSync(mark, '');
    const image = `${host()}/example/ticker:latest`;
    succeeded(await as(`os-containers pull --insecure ${image}`));
    const { stderr } = succeeded(await as(`os-containers install --set MESSAGE=tick ${image}`));
    assert.match(stderr, /systemctl --user enable ticker/);
    succeeded(await as('systemctl --user start ticker'));
    assert.equal((await as('systemctl --user is-active ticker')).stdout.trim(), 'active');
    assert.match((await as('os-containers list')).stdout, /ticker .* Running /);
    await sh('sleep 1'); // as above: it has to listen to the signal
    succeeded(await as('os-containers update ticker --wait 1 --set MESSAGE=tock'));
    assert.equal((await as('systemctl --user is-active ticker')).stdout.trim(), 'active');
    succeeded(await as('os-containers rollback ticker --wait 1'));
    succeeded(await as('os-containers uninstall ticker'));
    const outside = await sh(
      `find / -xdev -newer ${mark} -user joe -not -path '/home/joe*' -not -path '/run/user/*' -not -path '/proc/*'`,
    );
    assert.equal(outside, '');
  },

  'a service whose check fails is taken back': async () => {
    const good = await publish('checked', '1.0', 'latest');
    await pull(good);
    await done(`install ${good}`);
    await sh('systemctl start checked');
    await publish('checked', '2.0', 'latest');
    await pull(good);
    const ended = await containers('update checked --wait 1');
    assert.equal(ended.status, 1, ended.stderr);
    assert.equal(slotOf('checked'), 'checked.0');
    assert.equal(await property('checked.service', 'ActiveState'), 'active');
    await done('uninstall checked');
  },
};

const second: Scenarios = {
  'after a reboot in the middle of an update the next command mends what is left': async () => {
    // The unit was enabled all the time, or is again after this.
    await done('list --all');
    const ended = await containers('update slow --wait 1');
    assert.equal(ended.status, 0, ended.stderr);
    await waitFor('the service', async () => (await property('slow.service', 'ActiveState')) === 'active', 60_000);
    assert.equal(await property('slow.service', 'UnitFileState'), 'enabled');
    assert.equal(existsSync(`${CHECKOUTS}/.state/slow.journal`), false);
    assert.match(readFileSync('/etc/slow.conf', 'utf8'), /^2\.0$/m);
    assert.match(readFileSync(`${CHECKOUTS}/slow/config.json`, 'utf8'), /VERSION=2\.0/);
    await done('rollback slow --wait 1');
    assert.match(readFileSync('/etc/slow.conf', 'utf8'), /^1\.0$/m);
    await done('uninstall slow');
  },
};

/** An update that is still waiting for the new version to start when the machine goes down. */
async function interruptUpdate(): Promise<void> {
  mkdirSync('/var/lib/slow', { recursive: true });
  for (const version of ['1.0', '2.0']) {
    await sh(`os-containers pull --name localhost/slow:latest oci:${LAYOUTS}/slow:${version}`);
    if (version === '2.0') break;
    await done('install localhost/slow:latest');
    await sh('systemctl start slow');
  }
  writeFileSync('/var/lib/slow/wait', '');
  const update = containers('update slow --wait 1');
  await waitFor('the start of the new version', async () =>
    ['activating', 'deactivating'].includes(await property('slow.service', 'ActiveState')),
  );
  await sh('rm /var/lib/slow/wait');
  await reboot();
  await update;
}

/** Images beside the examples: one that ends at once, one with a check, one that takes its time to start. */
async function moreImages(layouts: string): Promise<void> {
  const busybox = { path: 'bin/busybox', content: readFileSync('/bin/busybox'), mode: 0o755 };
  const sh = { path: 'bin/sh', type: 'symlink', linkTarget: 'busybox' } as const;
  const script = (text: string) => ({ path: 'usr/bin/etcd', content: `#!/bin/sh\n${text}`, mode: 0o755 });
  const lasting = script('trap "exit 0" TERM\nwhile :; do /bin/busybox sleep 1; done\n');
  const bin = [busybox, sh];
  const config = (version: string): string =>
    JSON.stringify({
      ociVersion: '1.0.0',
      process: {
        terminal: false,
        user: { uid: 0, gid: 0 },
        args: ['/usr/bin/etcd'],
        env: ['PATH=/usr/bin:/bin', `VERSION=${version}`],
        cwd: '/',
      },
      root: { path: 'rootfs', readonly: true },
      mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
      linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }] },
    });
  await etcdImage(join(layouts, 'broken'), '3.0', {
    config: config('3.0'),
    hostFiles: { 'etc/kvd/kvd.conf': 'broken\n' },
    entries: [...bin, script('exit 1\n')],
  });
  for (const [version, status] of [
    ['1.0', 0],
    ['2.0', 1],
  ] as const) {
    const check = { path: 'exports/check', content: `#!/bin/sh\nexit ${status}\n`, mode: 0o755 };
    await etcdImage(join(layouts, 'checked'), version, {
      config: config(version),
      hostFiles: {},
      entries: [...bin, lasting, check],
    });
    await etcdImage(join(layouts, 'slow'), version, {
      config: config(version),
      hostFiles: { 'etc/slow.conf': `${version}\n` },
      entries: [...bin, lasting],
      unit: `[Service]
ExecStartPre=/bin/sh -c 'while [ -e /var/lib/slow/wait ]; do sleep 0.2; done'
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
WorkingDirectory=$DESTDIR
TimeoutStopSec=10

[Install]
WantedBy=multi-user.target
`,
    });
  }
}

if (!INSIDE) {
  describeMachine({
    title: 'os-containers under systemd',
    module: import.meta.url,
    files: FILES,
    scenarios: { ...first, ...second },
    async binds(scratch) {
      const layouts = join(scratch, 'layouts');
      await exampleImages(layouts);
      await moreImages(layouts);
      return { [LAYOUTS]: layouts };
    },
  });
} else if (boot() === 1) {
  await runScenarios(first);
  await interruptUpdate();
} else await runScenarios(second);
