import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { check, config, file, places } from './preflight.fixture.ts';

describe('a deployment that acts on the host', () => {
  const hooks = config([], { hooks: { prestart: [{ path: '/bin/x' }], poststop: [{ path: '/bin/y' }] } });

  it('by hooks is refused, and allowed by name', async (t) => {
    await assert.rejects(check(t, { config: hooks }), {
      name: 'ContainerError',
      code: 'NOT_ALLOWED_ON_HOST',
      message: 'example/image: hooks in config.json (prestart, poststop) run programs on the host',
      hint: /--allow-host hooks$/,
    });
    await assert.rejects(check(t, { config: hooks, permissions: ['tmpfiles', 'setuid'] }), {
      code: 'NOT_ALLOWED_ON_HOST',
    });
    assert.deepEqual((await check(t, { config: hooks, permissions: ['hooks'] })).notes, []);
  });

  it('by annotations that crun takes for orders is refused as with hooks', async (t) => {
    const annotations = { 'run.oci.seccomp.plugins': '/var/lib/x.so' };
    await assert.rejects(check(t, { config: config([], { annotations }) }), {
      code: 'NOT_ALLOWED_ON_HOST',
      hint: /--allow-host hooks$/,
    });
  });

  for (const [what, more] of [
    ['a setuid file', { mode: 0o4755 }],
    ['a setgid file', { mode: 0o2755 }],
    ['a file with capabilities', { hasCapabilities: true }],
  ] as const) {
    it(`by ${what} is refused, and allowed by name`, async (t) => {
      const hostFiles = [file('/usr/local/bin/x', more)];
      await assert.rejects(check(t, { hostFiles }), { code: 'NOT_ALLOWED_ON_HOST', hint: /--allow-host setuid$/ });
      await check(t, { hostFiles, permissions: ['setuid'] });
    });
  }

  it('by a directory that gives its group to what is made in it is not', async (t) => {
    await check(t, { hostFiles: [file('/var/lib/kvd', { kind: 'directory', mode: 0o2755 })] });
  });

  it('in several ways is told all of them, and all options, in one error', async (t) => {
    const hostFiles = Array.from({ length: 9 }, (_, i) => file(`/usr/local/bin/${i}`, { mode: 0o4755 }));
    const fragment = Buffer.from('r /etc/passwd\n');
    await assert.rejects(check(t, { config: hooks, hostFiles, fragment }), (error: Error & { hint: string }) => {
      assert.match(
        error.message,
        /hooks in config\.json.*; line 1 of its tmpfiles fragment.*\/usr\/local\/bin\/0.*; 4 more of this kind$/,
      );
      assert.match(error.hint, /--allow-host hooks --allow-host tmpfiles --allow-host setuid$/);
      return true;
    });
  });
});

describe('a deployment that cannot work', () => {
  it('is refused for its root, its terminal, or its command', async (t) => {
    await assert.rejects(check(t, { config: config([], { root: { path: 'rootfs' } }) }), { code: 'WRITABLE_ROOT' });
    await assert.rejects(check(t, { config: config([], { process: {} }) }), { code: 'BAD_CONTAINER_CONFIG' });
    await assert.rejects(check(t, { config: config(), rootfs: '/srv/tree' }), { code: 'WRITABLE_ROOT' });
  });

  it('is refused for a unit that systemd would not load, and told what else is wrong with it', {
    skip: needs('systemd-analyze'),
  }, async (t) => {
    await assert.rejects(check(t, { unit: Buffer.from('[Service]\nExecStop=/bin/true\n') }), { code: 'BAD_UNIT' });
    const unit = Buffer.from('[Service]\nExecStart=/bin/true\nNonsense=1\n');
    const { notes } = await check(t, { unit });
    assert.deepEqual([notes.length, notes[0]?.startsWith('kvd.service:3:')], [1, true]);
  });

  it('is not blamed for a program that its own host files bring', { skip: needs('systemd-analyze') }, async (t) => {
    const unit = Buffer.from('[Service]\nExecStart=/usr/local/bin/kvd-not-there\n');
    assert.equal((await check(t, { unit, places: places('') })).notes.length, 1);
    const hostFiles = [file('/usr/local/bin/kvd-not-there', { mode: 0o755 })];
    assert.deepEqual((await check(t, { unit, hostFiles, places: places('') })).notes, []);
    assert.deepEqual((await check(t, { unit })).notes, []);
  });

  it('is refused when there is no room for it', async (t) => {
    const hostFiles = [file('/usr/local/bin/x', { size: 2 ** 60 }), file('/usr/local/bin/y', { size: 1 })];
    await assert.rejects(check(t, { hostFiles }), { code: 'DISK_FULL' });
    await assert.rejects(check(t, { checkoutBytes: 2 ** 60 }), { code: 'DISK_FULL' });
  });
});

describe('the units that an installation touches', () => {
  it('are told when they are not its own', async (t) => {
    const unit = Buffer.from(
      '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlias=sshd.service kvd.service\nAlso=kvd.socket\nRequiredBy=a.target sshd.service\n',
    );
    assert.deepEqual((await check(t, { unit })).extraUnitNames, ['sshd.service', 'kvd.socket', 'a.target']);
    assert.deepEqual((await check(t)).extraUnitNames, []);
  });
});
