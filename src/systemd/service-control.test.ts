import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../test/support/needs.ts';
import { scratch } from '../../test/support/scratch.ts';
import { fakePrograms, usePath } from './fake-programs.fixture.ts';
import { serviceControl } from './service-control.ts';
import { tmpfilesControl } from './tmpfiles-control.ts';

const never = new AbortController().signal;
const changes = (log: readonly string[]) => log.filter((call) => !/ (is-active|show) /.test(call));

describe('a service', () => {
  for (const user of [false, true]) {
    it(`is changed by the very calls that are logged${user ? ", those of the caller's own manager" : ''}`, async (t) => {
      const calls = fakePrograms(t, { systemctl: 'exit 0' });
      const services = serviceControl({ user });
      await services.disableNow('kvd', never);
      await services.daemonReload(never);
      await services.enable('kvd', never);
      await services.start('kvd', never);
      await services.stop('kvd', never);
      await services.resetFailed('kvd', never);
      const words = ['--now disable kvd', 'daemon-reload', 'enable kvd', 'start kvd', 'stop kvd', 'reset-failed kvd'];
      const lines = words.map((each) => services.line(...each.split(' ')));
      assert.deepEqual(calls(), lines);
      assert.deepEqual(
        lines,
        words.map((each) => `systemctl ${user ? '--user ' : ''}${each}`),
      );
    });
  }

  it('of a root that is not booted is enabled and disabled, and nothing else', async (t) => {
    const calls = fakePrograms(t, { systemctl: 'exit 0' });
    const services = serviceControl({ user: false, offlineRoot: '/mnt' });
    await services.disableNow('kvd', never);
    await services.daemonReload(never);
    await services.enable('kvd', never);
    await services.start('kvd', never);
    await services.stop('kvd', never);
    await services.resetFailed('kvd', never);
    assert.equal(await services.watch('kvd', 60_000, never), undefined);
    assert.equal(await services.activeState('kvd', never), 'inactive');
    assert.deepEqual(calls(), ['systemctl --root=/mnt disable kvd', 'systemctl --root=/mnt enable kvd']);
    assert.equal(services.line('--now', 'disable', 'kvd'), 'systemctl --root=/mnt disable kvd');
    assert.deepEqual([services.line('daemon-reload'), services.line('start', 'kvd')], ['', '']);
  });

  it('that cannot be changed is an error with the call and what systemctl said', async (t) => {
    fakePrograms(t, { systemctl: 'echo "Job failed.\\033[2J" >&2; exit 1' });
    await assert.rejects(serviceControl({ user: true }).start('kvd', never), {
      code: 'SYSTEMCTL_FAILED',
      message: 'systemctl --user start kvd: Job failed.\\u{1b}[2J',
      hint: 'see "systemctl --user status kvd"',
      subject: 'kvd',
    });
  });

  it('on a machine without systemctl is in an unknown state, and cannot be changed', async (t) => {
    usePath(t, scratch(t));
    const services = serviceControl({ user: false });
    assert.equal(await services.activeState('kvd', never), 'unknown');
    assert.equal(await services.enabledState('kvd', never), '');
    await assert.rejects(services.enable('kvd', never), { code: 'PROGRAM_MISSING' });
  });

  for (const [script, state] of [
    ['echo active', 'active'],
    ['echo inactive; exit 3', 'inactive'],
    ['echo failed; exit 3', 'failed'],
    ['echo activating; exit 3', 'activating'],
    ['exit 0', 'active'],
    ['exit 3', 'unknown'],
    ['echo "System has not been booted with systemd" >&2; exit 1', 'unknown'],
  ] as const) {
    it(`whose state is asked with ${JSON.stringify(script)} is ${state}`, async (t) => {
      fakePrograms(t, { systemctl: script });
      assert.equal(await serviceControl({ user: false }).activeState('kvd', never), state);
    });
  }

  for (const [script, state] of [
    ['echo enabled', 'enabled'],
    ['echo disabled; exit 1', 'disabled'],
    ['echo enabled-runtime', 'enabled-runtime'],
    ['echo not-found; exit 4', ''],
    ['echo "Failed to get unit file state for kvd.service: No such file or directory" >&2; exit 1', ''],
    ['exit 0', 'enabled'],
  ] as const) {
    it(`whose installation is asked with ${JSON.stringify(script)} is ${JSON.stringify(state)}`, async (t) => {
      fakePrograms(t, { systemctl: script });
      assert.equal(await serviceControl({ user: false }).enabledState('kvd', never), state);
    });
  }

  it('of a root that is not booted is really enabled there', { skip: needs('systemctl') }, async (t) => {
    const root = scratch(t);
    mkdirSync(join(root, 'etc/systemd/system'), { recursive: true });
    const text = '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n';
    writeFileSync(join(root, 'etc/systemd/system/kvd.service'), text);
    const services = serviceControl({ user: false, offlineRoot: root });
    const link = join(root, 'etc/systemd/system/multi-user.target.wants/kvd.service');
    assert.equal(await services.enabledState('nothing', never), '');
    assert.equal(await services.enabledState('kvd', never), 'disabled');
    await services.enable('kvd', never);
    assert.equal(await services.enabledState('kvd', never), 'enabled');
    await services.disableNow('kvd', never);
    assert.equal(await services.enabledState('kvd', never), 'disabled');
    assert.ok(!existsSync(link));
  });
});

/** A service whose states come one after the other, the last one for ever; `show` says what the function makes of it. */
function fakeStates(t: TestContext, states: readonly string[], show: string) {
  const count = join(scratch(t), 'count');
  const pick = states.map((state, i) => `${i === states.length - 1 ? '*' : i}) state=${state};;`).join(' ');
  return fakePrograms(t, {
    systemctl: `n=$(cat ${count} 2>/dev/null || echo 0)
case $n in ${pick} esac
case $1 in
is-active) echo $((n + 1)) > ${count}; echo $state; test $state = active;;
show) ${show};;
esac`,
  });
}

describe('watching a service', () => {
  const watch = (graceMs: number) => serviceControl({ user: false }).watch('kvd', graceMs, never);

  it('that is active, and stays so, finds nothing, and takes the whole time', async (t) => {
    const calls = fakeStates(t, ['active'], 'exit 0');
    const before = Date.now();
    assert.equal(await watch(1200), undefined);
    assert.ok(Date.now() - before >= 1100);
    assert.ok(calls().filter((call) => call.includes('is-active')).length >= 3);
    assert.deepEqual(changes(calls()), []);
  });

  it('that is not active any more finds it at once', async (t) => {
    fakeStates(t, ['active', 'failed'], 'exit 1');
    const before = Date.now();
    assert.equal(await watch(60_000), 'is failed');
    assert.ok(Date.now() - before < 10_000);
  });

  it('that fails at the very end finds it, too', async (t) => {
    fakeStates(t, ['active', 'inactive'], 'exit 0');
    assert.equal(await watch(100), 'is inactive');
  });

  it('tells what systemd knows more', async (t) => {
    fakeStates(t, ['failed'], "printf 'Id=kvd.service\\nActiveState=failed\\nSubState=failed\\nResult=exit-code\\n'");
    assert.equal(await watch(0), 'is failed (failed, result exit-code)');
  });

  it('that systemd starts again and again is not well, though active whenever one looks', async (t) => {
    fakeStates(t, ['active'], "printf 'Id=kvd.service\\nActiveState=active\\nInvocationID=a\\nNRestarts=%s\\n' $n");
    assert.equal(await watch(60_000), 'did not stay up: systemd started it again (1 time)');
  });

  it('that somebody else starts again is not well', async (t) => {
    fakeStates(t, ['active'], "printf 'Id=kvd.service\\nActiveState=active\\nInvocationID=%s\\nNRestarts=0\\n' a$n");
    assert.equal(await watch(60_000), 'did not stay up: it was started again');
  });

  it('that ran once and ended well is well', async (t) => {
    fakeStates(t, ['inactive'], "printf 'Id=kvd.service\\nType=oneshot\\nActiveState=inactive\\nResult=success\\n'");
    assert.equal(await watch(0), undefined);
  });

  it('ends when the caller gives up', async (t) => {
    fakeStates(t, ['active'], 'exit 0');
    const signal = AbortSignal.timeout(300);
    await assert.rejects(serviceControl({ user: false }).watch('kvd', 60_000, signal));
  });
});

describe('a fragment of tmpfiles', () => {
  it('is applied and taken back by the very calls that are logged', async (t) => {
    const calls = fakePrograms(t, { 'systemd-tmpfiles': 'exit 0' });
    for (const user of [false, true]) {
      const tmpfiles = tmpfilesControl({ user });
      await tmpfiles.create('/etc/tmpfiles.d/kvd.conf', never);
      await tmpfiles.remove('/etc/tmpfiles.d/kvd.conf', never);
      const lines = ['--create', '--remove'].map((verb) => tmpfiles.line(verb, '/etc/tmpfiles.d/kvd.conf'));
      assert.deepEqual(calls().slice(-2), lines);
    }
    assert.equal(calls()[0], 'systemd-tmpfiles --create /etc/tmpfiles.d/kvd.conf');
    assert.equal(calls()[3], 'systemd-tmpfiles --user --remove /etc/tmpfiles.d/kvd.conf');
  });

  it('of a root that is not booted waits for the boot', async (t) => {
    const calls = fakePrograms(t, { 'systemd-tmpfiles': 'exit 0' });
    const tmpfiles = tmpfilesControl({ user: false, offlineRoot: '/mnt' });
    await tmpfiles.create('/mnt/etc/tmpfiles.d/kvd.conf', never);
    assert.equal(tmpfiles.line('--create', '/mnt/etc/tmpfiles.d/kvd.conf'), '');
    assert.deepEqual(calls(), []);
  });

  it('that cannot be applied is an error', async (t) => {
    fakePrograms(t, { 'systemd-tmpfiles': 'echo "kvd.conf:1: Unknown user" >&2; exit 65' });
    await assert.rejects(tmpfilesControl({ user: false }).create('/x/kvd.conf', never), {
      code: 'TMPFILES_FAILED',
      message: 'systemd-tmpfiles --create /x/kvd.conf: kvd.conf:1: Unknown user',
    });
  });

  it('really makes its directories, and empties those that it may', {
    skip: needs('root', 'systemd-tmpfiles'),
  }, async (t) => {
    const root = scratch(t);
    const fragment = join(root, 'kvd.conf');
    writeFileSync(fragment, `d ${root}/kept 0755 0 0 - -\nD ${root}/emptied 0755 0 0 - -\n`);
    const tmpfiles = tmpfilesControl({ user: false });
    await tmpfiles.create(fragment, never);
    for (const dir of ['kept', 'emptied']) writeFileSync(join(root, dir, 'file'), '');
    await tmpfiles.remove(fragment, never);
    assert.deepEqual([existsSync(join(root, 'kept/file')), existsSync(join(root, 'emptied/file'))], [true, false]);
  });
});
