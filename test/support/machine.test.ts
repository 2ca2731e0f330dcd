import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AGENT, bootMachine, copyRoot, machineRoot } from './machine.ts';
import { cgroup2, needs } from './needs.ts';
import { must } from './program.ts';
import { mountsBelow, scratch } from './scratch.ts';

const BEAT = `[Service]
ExecStart=/bin/sh -c 'echo beating; exec sleep infinity'
[Install]
WantedBy=multi-user.target
`;

describe('a booted machine', { skip: needs('machine') }, () => {
  it('starts services, reboots, and finds what the boot before left', async (t) => {
    const root = await copyRoot(scratch(t));
    const { status, boots, report, journal } = await bootMachine({
      root,
      files: {
        '/etc/systemd/system/beat.service': BEAT,
        '/usr/local/bin/hi': { content: '#!/bin/sh\necho hi\n', mode: 0o755 },
      },
      script: `
        import { boot, finish, reboot, report, sh, waitFor } from '${AGENT}';
        const state = await sh('systemctl is-active beat.service || true');
        if (boot() === 1) {
          report({ first: state, hi: await sh('hi') });
          await sh('systemctl enable --now beat.service; echo left >/var/lib/left');
          await waitFor('beat', async () => (await sh('journalctl -u beat')).includes('beating'));
          await reboot();
        }
        report({ second: state, left: await sh('cat /var/lib/left'), boots: await sh('journalctl --list-boots | grep -vc BOOT') });
        await finish(42);`,
    });
    assert.deepEqual(report, { first: 'inactive', hi: 'hi', second: 'active', left: 'left', boots: '2' });
    assert.deepEqual([status, boots], [42, 2]);
    assert.match(journal, /beating/);
  });

  it('starts a service from a squashfs behind a symlink, twice, with a new image', {
    skip: needs('mksquashfs', 'busybox'),
  }, async (t) => {
    const dir = scratch(t);
    const images = join(dir, 'images');
    mkdirSync(images);
    for (const version of ['1', '2']) {
      const tree = join(dir, `tree-${version}`);
      for (const sub of ['bin', 'proc', 'sys', 'dev', 'run', 'tmp', 'var/tmp', 'etc', 'usr/lib'])
        mkdirSync(join(tree, sub), { recursive: true });
      await must('cp', ['/bin/busybox', join(tree, 'bin', 'sh')]);
      for (const empty of ['etc/resolv.conf', 'etc/machine-id']) writeFileSync(join(tree, empty), '');
      writeFileSync(join(tree, 'usr/lib/os-release'), 'ID=image\n');
      writeFileSync(join(tree, 'etc/version'), `version ${version}\n`);
      await must('mksquashfs', [tree, join(images, `${version}.squashfs`), '-quiet', '-no-progress']);
    }
    symlinkSync('1.squashfs', join(images, 'latest'));
    const { report } = await bootMachine({
      root: await copyRoot(dir),
      binds: { '/images': images },
      files: {
        '/etc/systemd/system/app.service': `[Service]
RootImage=/images/latest
ExecStart=/bin/sh -c 'read v </etc/version; echo "$v"; exec /bin/sh -c "while :; do sleep 1; done"'
`,
      },
      script: `
        import { report, sh, waitFor } from '${AGENT}';
        const log = () => sh('journalctl -u app -o cat');
        await sh('systemctl start app');
        await waitFor('the first', async () => (await log()).includes('version 1'));
        await sh('ln -sfn 2.squashfs /images/latest && systemctl restart app');
        await waitFor('the second', async () => (await log()).includes('version 2'));
        report({ state: await sh('systemctl is-active app') });
        await sh('systemctl stop app');`,
    });
    assert.deepEqual(report, { state: 'active' });
    const { stdout } = await must('losetup', ['--list', '--noheadings', '--output', 'BACK-FILE']);
    assert.ok(!stdout.includes(dir), stdout);
  });

  it('runs beside another without touching its services', async (t) => {
    const machine = async (name: string, script: string) =>
      bootMachine({
        root: await copyRoot(scratch(t)),
        files: { '/etc/systemd/system/beat.service': BEAT },
        script: `import { report, sh } from '${AGENT}'; ${script}; report({ name: '${name}', state: await sh('systemctl is-active beat || true') })`,
      });
    const [a, b] = await Promise.all([
      machine('a', "await sh('systemctl start beat; sleep 3')"),
      machine('b', "for (let i = 0; i < 6; i++) await sh('systemctl start beat; systemctl stop beat; sleep 0.2')"),
    ]);
    assert.deepEqual(
      [a.report, b.report],
      [
        { name: 'a', state: 'active' },
        { name: 'b', state: 'inactive' },
      ],
    );
  });

  it('whose script throws, cannot be read or never ends is an error with its reason, and leaves nothing behind', async (t) => {
    const root = await copyRoot(scratch(t));
    await assert.rejects(bootMachine({ root, script: "throw new Error('as told')" }), /as told/);
    await assert.rejects(bootMachine({ root, script: 'this is no script' }), /SyntaxError/);
    const agent = { '/var/lib/tako-test/main.mjs': "import '/t/nothing.mjs'" };
    await assert.rejects(bootMachine({ root, files: agent, script: '' }), /script: exit-code/);
    const endless = bootMachine({
      root,
      script: "console.log('endless'); await new Promise(() => setInterval(() => {}, 1e6))",
      timeoutMs: 6000,
    });
    await assert.rejects(endless, /did not end/);
    assert.deepEqual(mountsBelow(root), []);
    const { stdout } = await must('find', [cgroup2() ?? '', '-name', `tako-test-${process.pid}-*`]);
    assert.equal(stdout, '');
  });

  it('is made from a root that is built once, and takes no file outside of it', async (t) => {
    const before = Date.now();
    const root = await machineRoot();
    assert.ok(Date.now() - before < 1000);
    assert.match(readFileSync(join(root, 'etc', 'debian_version'), 'utf8'), /^12/);
    const copy = join(scratch(t), 'root');
    mkdirSync(join(copy, 'var'), { recursive: true });
    symlinkSync('/run', join(copy, 'var', 'run'));
    await assert.rejects(bootMachine({ root: copy, files: { '/var/run/x': '' }, script: '' }), /leads out/);
  });
});
