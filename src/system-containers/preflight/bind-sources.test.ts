import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { scratch } from '../../../test/support/scratch.ts';
import type { PreflightRequest } from './index.ts';
import { check, config, DEPLOYMENT, file, places } from './preflight.fixture.ts';

describe('what a container mounts from the host', () => {
  const missing = async (t: TestContext, source: string, more: Partial<PreflightRequest> = {}) =>
    (await check(t, { config: config([{ source }]), places: places(''), ...more })).notes.filter((note) =>
      note.startsWith('mount source'),
    );

  it('and does not exist is told', async (t) => {
    const source = join(scratch(t), 'nothing');
    assert.deepEqual(await missing(t, source), [
      `mount source "${source}" does not exist, and nothing in the image makes it`,
    ]);
    assert.deepEqual(await missing(t, join(source, '..')), []);
  });

  it('may be made by the tmpfiles fragment, by host files, or by the unit', async (t) => {
    const name = `kvd-test-${process.pid}`;
    for (const more of [
      { fragment: Buffer.from(`d /var/lib/${name}`) },
      { fragment: Buffer.from(`d /var/lib/${name}/below`) },
      { hostFiles: [file(`/var/lib/${name}`, { kind: 'directory', size: 0 })] },
      { hostFiles: [file(`/var/lib/${name}/x.conf`)] },
      { unit: Buffer.from(`[Service]\nStateDirectory=other ${name}/deep:link\nExecStart=/bin/true\n`) },
      { unit: Buffer.from(`[Service]\nExecStartPre=-/bin/mkdir -p "/var/lib/${name}"\nExecStart=/bin/true\n`) },
    ]) {
      assert.deepEqual(await missing(t, `/var/lib/${name}`, more), [], JSON.stringify(more));
    }
    const near = [
      { fragment: Buffer.from(`d /var/lib/${name}x`) },
      {
        unit: Buffer.from(
          `[Service]\nRuntimeDirectory=${name}\nExecStartPre=/bin/mkdir /var/lib/${name}x\nExecStart=/bin/true\n`,
        ),
      },
    ];
    for (const more of near) assert.equal((await missing(t, `/var/lib/${name}`, more)).length, 1, JSON.stringify(more));
  });

  it('may be part of the deployment, which is not there yet', async (t) => {
    const ofRoot = (path: string) => config([{ source: `${DEPLOYMENT}/rootfs/${path}`, ro: true }]);
    assert.deepEqual((await check(t, { config: config([{ source: `${DEPLOYMENT}/config.json` }]) })).notes, []);
    assert.deepEqual((await check(t, { config: ofRoot('usr/bin') })).notes, []);
    assert.equal((await check(t, { config: ofRoot('usr/lib') })).notes.length, 1);
  });

  it('of another root is looked for there, and what only a running system has is not', async (t) => {
    const root = scratch(t);
    mkdirSync(join(root, 'srv/data'), { recursive: true });
    const sources = ['/srv/data', '/srv/none', '/run/dbus/x', '/proc/none', '/sys/fs/cgroup/none'].map((source) => ({
      source,
    }));
    const { notes } = await check(t, { config: config(sources), places: places(root) });
    assert.deepEqual(notes, ['mount source "/srv/none" does not exist, and nothing in the image makes it']);
  });

  it('may not be writable where its files are shared with the repository', async (t) => {
    for (const source of [
      `${DEPLOYMENT}/rootfs/usr`,
      `${DEPLOYMENT}/rootfs`,
      'rootfs/usr',
      './rootfs/',
      '/var/lib/containers/atomic/.storage/repo/objects',
    ]) {
      await assert.rejects(check(t, { config: config([{ source }]) }), { code: 'WRITABLE_ROOT' }, source);
    }
    await check(t, { config: config([{ source: `${DEPLOYMENT}/rootfs/usr/bin`, ro: true }]) });
    await assert.rejects(
      check(t, {
        rootfs: '/srv/tree',
        config: config([{ source: '/srv/tree/x' }], { root: { path: '/srv/tree', readonly: true } }),
      }),
      { code: 'WRITABLE_ROOT' },
    );
  });

  it('and may not be read by the user is refused', { skip: needs('root') }, async (t) => {
    const root = scratch(t);
    mkdirSync(join(root, 'closed'), { mode: 0o700 });
    writeFileSync(join(root, 'closed/file'), '');
    chmodSync(root, 0o755);
    const home = places('', { scope: 'user', uid: 1, checkouts: root, repository: join(root, 'repo') });
    process.seteuid?.(1);
    try {
      for (const source of ['closed', 'closed/file']) {
        const mounts = config([{ source: join(root, source), ro: true }]);
        await assert.rejects(check(t, { places: home, config: mounts }), { code: 'BIND_SOURCE_UNREADABLE' }, source);
      }
      await check(t, { places: home, config: config([{ source: '/etc/hostname', ro: true }]) });
    } finally {
      process.seteuid?.(0);
    }
  });
});
