/**
 * `os-containers-update.service` on a booted systemd with runc: what its sandbox has to allow. Loaded twice, on the host
 * and in the machine: `support-machine.ts`.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFakeRegistry } from '../support/fake-registry.ts';
import type { MachineFile } from '../support/machine.ts';
import { sh } from '../support/machine-agent.ts';
import { CHECKOUT } from '../support/program.ts';
import { etcdImage } from './os-containers-place.ts';
import {
  describeMachine,
  INSIDE,
  journal,
  messages,
  property,
  runScenarios,
  type Scenarios,
} from './support-machine.ts';

const LAYOUTS = '/layouts';
const UNITS = ['os-containers-update.service', 'os-containers-update.timer'];

function files(): Readonly<Record<string, MachineFile>> {
  const unit = (name: string) =>
    [`/etc/systemd/system/${name}`, readFileSync(join(CHECKOUT, 'systemd', name))] as const;
  const content = '#!/bin/sh\nexec /usr/bin/node /t/dist/src/cli/os-containers/main.js "$@"\n';
  return { '/usr/bin/os-containers': { content, mode: 0o755 }, ...Object.fromEntries(UNITS.map(unit)) };
}

/** Capabilities that a sandbox takes away gladly, and a check: the runtime enters the container with all that it has. */
async function images(layouts: string): Promise<void> {
  const busybox = { path: 'bin/busybox', content: readFileSync('/bin/busybox'), mode: 0o755 };
  const shell = { path: 'bin/sh', type: 'symlink', linkTarget: 'busybox' } as const;
  const program = '#!/bin/sh\ntrap "exit 0" TERM\nwhile :; do /bin/busybox sleep 1; done\n';
  const all = JSON.stringify(['CAP_SYSLOG', 'CAP_SYS_MODULE', 'CAP_SYS_TIME', 'CAP_WAKE_ALARM', 'CAP_MKNOD']);
  const config = `{"ociVersion":"1.0.0","process":{"terminal":false,"user":{"uid":0,"gid":0},"args":["/usr/bin/etcd"],
"env":["PATH=/usr/bin:/bin"],"cwd":"/","capabilities":{"bounding":${all},"effective":${all},"permitted":${all}}},
"root":{"path":"rootfs","readonly":true},"mounts":[{"destination":"/proc","type":"proc","source":"proc"}],
"linux":{"namespaces":[{"type":"pid"},{"type":"mount"}]}}`;
  for (const version of ['1.0', '2.0']) {
    await etcdImage(join(layouts, 'etcd'), version, {
      config,
      entries: [
        busybox,
        shell,
        { path: 'usr/bin/etcd', content: program, mode: 0o755 },
        { path: 'exports/check', content: '#!/bin/sh\n/bin/busybox grep -q etcd /proc/1/cmdline\n', mode: 0o755 },
      ],
    });
  }
}

const scenarios: Scenarios = {
  'updates a running container that has powerful capabilities, host files and a check': async () => {
    const registry = await startFakeRegistry();
    const image = `${registry.host}/etcd:latest`;
    const publish = (version: string): Promise<string> =>
      sh(
        `node /t/dist/src/cli/ostree-container/main.js image copy --quiet --insecure-policy --dest-tls-verify=false ` +
          `oci:${LAYOUTS}/etcd:${version} docker://${image}`,
      );
    mkdirSync('/etc/containers', { recursive: true });
    writeFileSync('/etc/containers/policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}');
    writeFileSync('/etc/containers/registries.conf', `[[registry]]\nlocation = "${registry.host}"\ninsecure = true\n`);
    await publish('1.0');
    await sh(`os-containers install ${image} && systemctl start etcd`);
    assert.equal(await property('etcd.service', 'ActiveState'), 'active');
    await publish('2.0');
    await sh('systemctl start os-containers-update.service || true');
    const said = messages(journal('_SYSTEMD_UNIT=os-containers-update.service')).join('\n');
    assert.equal(await property('os-containers-update.service', 'Result'), 'success', said);
    assert.equal(readlinkSync('/var/lib/containers/atomic/etcd').split('/').at(-1), 'etcd.1', said);
    assert.equal(await property('etcd.service', 'ActiveState'), 'active');
    assert.match(readFileSync('/usr/local/bin/etcdctl', 'utf8'), /2\.0/);
    await registry.close();
  },

  'the timer is enabled with one command, and waits for the night': async () => {
    await sh('systemctl enable --now os-containers-update.timer');
    assert.equal(await property('os-containers-update.timer', 'ActiveState'), 'active');
    assert.equal(await property('os-containers-update.timer', 'Unit'), 'os-containers-update.service');
  },
};

if (INSIDE) await runScenarios(scenarios);
else {
  describeMachine({
    title: 'the unit that updates containers',
    module: import.meta.url,
    files: files(),
    scenarios,
    async binds(scratch) {
      const layouts = join(scratch, 'layouts');
      await images(layouts);
      return { [LAYOUTS]: layouts };
    },
  });
}
