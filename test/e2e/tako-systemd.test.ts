/**
 * `tako` on a booted systemd: the shipped units as they are, restarts and what is owed of them, the journal.
 *
 * This file runs twice. On the host it boots one machine, and every scenario is a test with the machine's verdict. In
 * the machine it is imported by the script, and runs the scenarios: all in one boot, each with an application of its own.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineFile } from '../support/machine.ts';
import { attempt, type Outcome, sh, waitFor } from '../support/machine-agent.ts';
import { type Images, linked, MALLORY, publish, put, readState, sha256 } from './support.ts';
import {
  type App,
  beat,
  describeMachine,
  INSIDE,
  installed,
  journal,
  newApp as newBareApp,
  onlyResult,
  property,
  readMaybe,
  runScenarios,
  type Scenarios,
  startService,
  succeeded,
  transcript,
} from './support-machine.ts';

/** Documented, and fixed for ever. */
const UPDATED = '7b4ca951341345ac9ba18adb780e519e';
const REFUSED = 'fa763b9940a84af689bd7b99c5687c35';

/** The content of an image is a script: it says which version runs, again and again, in the file $BEAT. */
const program = (version: string): string =>
  `echo ${version} is running\nwhile :; do echo ${version} >"$BEAT"; sleep 0.1; done\n`;
const imagesOf = (...versions: readonly string[]): Images => Object.fromEntries(versions.map((v) => [v, program(v)]));

const APP = (name: string): string => `/var/lib/images/${name}/latest`;
const FILES: Readonly<Record<string, MachineFile>> = {
  ...installed('tako@.service', 'tako-init@.service', 'tako@.timer'),
  '/etc/systemd/system/app@.service': `[Service]
Environment=BEAT=/run/%i.beat
ExecStart=/bin/sh ${APP('%i')}
`,
  // The image is made sure of inside of the start.
  '/etc/systemd/system/pre@.service': `[Service]
Environment=BEAT=/run/%i.beat
ExecStartPre=/usr/bin/tako fetch --init /etc/tako/%i
ExecStart=/bin/sh ${APP('%i')}
TimeoutStartSec=60
`,
  // The image is made sure of by another unit.
  '/etc/systemd/system/needs@.service': `[Unit]
Requires=tako-init@%i.service
After=tako-init@%i.service
[Service]
Environment=BEAT=/run/%i.beat
ExecStart=/bin/sh ${APP('%i')}
`,
  '/etc/systemd/system/plain@.service': `[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c 'echo %i >>/run/reloads; readlink ${APP('%i')} >>/run/reloads'
`,
  // Only the hour is taken out of the timer.
  '/etc/systemd/system/tako@.timer.d/now.conf': '[Timer]\nRandomizedDelaySec=0\n',
  // A systemctl that never comes back, for those who have it first in their PATH.
  '/usr/local/lib/stuck/systemctl': {
    content: '#!/bin/sh\necho $$ "$@" >/run/stuck.new; mv /run/stuck.new /run/stuck; exec sleep 600\n',
    mode: 0o755,
  },
};

/** An application of which only the version matters. */
interface VersionedApp extends Omit<App, 'publish'> {
  publish(...versions: readonly string[]): void;
}

/** The unit is `app@NAME.service`, unless other lines are given. */
async function newApp(name: string, ...lines: readonly string[]): Promise<VersionedApp> {
  const app = await newBareApp(name, 'HealthSec=1', ...(lines.length === 0 ? [`Restart=app@${name}.service`] : lines));
  return { ...app, publish: (...versions) => app.publish(imagesOf(...versions)) };
}

/** No escape codes, and no priority left in front. journalctl gives text that is not fit to print as a list of bytes. */
function isPlain(message: unknown): boolean {
  return typeof message === 'string' && !message.includes('\u001b') && !/^<\d>/.test(message);
}

/** Let the timer of an application be late: it makes up for the missed run at once. */
async function missedRun(name: string): Promise<void> {
  const unit = `tako@${name}.timer`;
  await sh(`systemctl stop ${unit}`);
  mkdirSync('/var/lib/systemd/timers', { recursive: true });
  const stamp = `/var/lib/systemd/timers/stamp-${unit}`;
  writeFileSync(stamp, '');
  utimesSync(stamp, new Date(Date.now() - 7_200_000), new Date(Date.now() - 7_200_000));
  await sh(`systemctl start ${unit}`);
}

const idle = async (name: string): Promise<boolean> =>
  (await property(`tako@${name}.service`, 'ActiveState')) === 'inactive';

/** What a scenario found, for the next one to judge. */
let paid = '';
let rollback: Outcome | undefined;

const scenarios: Scenarios = {
  'a run that the timer starts installs, updates and restarts': async () => {
    const app = await newApp('timed');
    app.publish('1.0');
    await missedRun('timed');
    await waitFor('the first run', async () => readMaybe('/run/timed.beat') !== undefined && (await idle('timed')));
    assert.equal(await app.running(), '1.0');
    assert.equal(await property('app@timed.service', 'ActiveState'), 'active');

    app.publish('1.0', '1.1', '2.0');
    const first = await property('app@timed.service', 'InvocationID');
    await missedRun('timed');
    await waitFor('the second run', async () => (await app.running()) === '1.1' && (await idle('timed')));
    assert.notEqual(await property('app@timed.service', 'InvocationID'), first);
    assert.equal(linked(app.destination), program('1.1'));
    assert.notEqual(await property('tako@timed.timer', 'LastTriggerUSec'), '');

    // A third one has nothing to do, and leaves the unit alone.
    const second = await property('app@timed.service', 'InvocationID');
    assert.equal(await startService('tako@timed.service'), 0);
    assert.equal(await property('app@timed.service', 'InvocationID'), second);
  },

  'the journal has the result lines, and an entry with fields for each update': async () => {
    const all = journal('_SYSTEMD_UNIT=tako@timed.service');
    const results = all.filter((entry) => String(entry['MESSAGE']).startsWith('/etc/tako/timed: '));
    const lines = results.filter((entry) => entry['MESSAGE_ID'] === undefined);
    assert.deepEqual(
      lines.map((entry) => [entry['MESSAGE'], entry['PRIORITY'], entry['SYSLOG_IDENTIFIER']]),
      [
        [
          `/etc/tako/timed: installed 1.0 (${program('1.0').length} B fetched), restarted app@timed.service`,
          '6',
          'tako',
        ],
        [
          `/etc/tako/timed: updated to 1.1 from 1.0 (${program('1.1').length} B fetched), restarted app@timed.service`,
          '6',
          'tako',
        ],
        ['/etc/tako/timed: 1.1 is current', '6', 'tako'],
      ],
    );
    const entries = journal(`MESSAGE_ID=${UPDATED}`, 'TAKO_CONFIG=/etc/tako/timed');
    assert.match(transcript(entries), /^\/etc\/tako\/timed: .* 1\.0\n\/etc\/tako\/timed: updated to 1\.1 from 1\.0$/);
    const names = ['PRIORITY', 'SYSLOG_IDENTIFIER', '_SYSTEMD_UNIT', '_UID'];
    const ours = ['TAKO_VERSION', 'TAKO_DIGEST'];
    assert.deepEqual(
      entries.map((entry) => entry['TAKO_PREVIOUS_VERSION'] || null),
      [null, '1.0'],
    );
    const common = { PRIORITY: '5', SYSLOG_IDENTIFIER: 'tako', _SYSTEMD_UNIT: 'tako@timed.service', _UID: '0' };
    assert.deepEqual(
      entries.map((entry) => Object.fromEntries([...names, ...ours].map((name) => [name, entry[name]]))),
      [
        {
          ...common,
          ...{ TAKO_VERSION: '1.0', TAKO_DIGEST: `sha256:${sha256(program('1.0'))}` },
        },
        {
          ...common,
          ...{ TAKO_VERSION: '1.1', TAKO_DIGEST: `sha256:${sha256(program('1.1'))}` },
        },
      ],
    );
    for (const { MESSAGE } of all) {
      assert.ok(isPlain(MESSAGE), JSON.stringify(MESSAGE));
    }
    assert.ok(all.length >= 5);
  },

  'a manifest by another key is refused: status 3, one entry that says so': async () => {
    const app = await newApp('forged');
    app.publish('1.0');
    await app.fetched();
    publish('/srv/forged', imagesOf('1.0', '1.1'), MALLORY);
    assert.equal(await startService('tako@forged.service'), 3);
    assert.equal(await property('tako@forged.service', 'Result'), 'exit-code');
    assert.equal(await app.running(), '1.0');
    const [entry, ...more] = journal(`MESSAGE_ID=${REFUSED}`, 'TAKO_CONFIG=/etc/tako/forged');
    assert.deepEqual(more, []);
    assert.match(String(entry?.['MESSAGE']), /^\/etc\/tako\/forged: .*not signed by the configured key/);
    const { PRIORITY, TAKO_CODE, _SYSTEMD_UNIT } = entry ?? {};
    assert.deepEqual([PRIORITY, TAKO_CODE, _SYSTEMD_UNIT], ['3', 'INVALID_SIGNATURE', 'tako@forged.service']);
    const said = journal('_SYSTEMD_UNIT=tako@forged.service').filter((each) => Number(each['PRIORITY']) <= 4);
    assert.equal(said.length, 1, transcript(said));
  },

  'the sandbox lets nothing be written elsewhere, until a drop-in names the place': async () => {
    const app = await newApp('outside');
    app.publish('1.0');
    mkdirSync('/srv/elsewhere');
    const text = readFileSync(app.config, 'utf8').replace(app.destination, '/srv/elsewhere');
    put(app.config, text.replace(/^Restart=.*\n/m, ''));
    assert.equal(await startService('tako@outside.service'), 1);
    assert.match(transcript(journal('_SYSTEMD_UNIT=tako@outside.service')), /read-only|EROFS/i);
    assert.equal(linked('/srv/elsewhere'), undefined);
    mkdirSync('/etc/systemd/system/tako@outside.service.d');
    put('/etc/systemd/system/tako@outside.service.d/place.conf', '[Service]\nReadWritePaths=/srv/elsewhere\n');
    await sh('systemctl daemon-reload');
    assert.equal(await startService('tako@outside.service'), 0);
    assert.equal(linked('/srv/elsewhere'), program('1.0'));
  },

  'a unit whose start runs "tako fetch --init" is restarted without waiting for itself': async () => {
    const app = await newApp('pre', 'Restart=pre@pre.service');
    app.publish('1.0');
    // Its own start installs the image, where no run of fetch has been.
    await sh('systemctl start pre@pre.service');
    assert.equal(await app.running(), '1.0');
    app.publish('1.0', '1.1');
    const began = performance.now();
    const { stdout, stderr } = await app.fetched();
    const seconds = (performance.now() - began) / 1000;
    assert.match(stdout, /updated to 1\.1 from 1\.0 .*restarted pre@pre\.service/);
    assert.equal(await app.running(), '1.1');
    // HealthSec=1, the start of two programs, and no part of the 30 s after which a lock is given up.
    assert.ok(seconds >= 1 && seconds < 8, `${seconds} s`);
    const said = transcript(journal('_SYSTEMD_UNIT=pre@pre.service', 'SYSLOG_IDENTIFIER=tako'));
    assert.match(said, /installed 1\.0 [^\n]*\n(.*\n)*\/etc\/tako\/pre: 1\.1 is there/);
    assert.doesNotMatch(stderr + said, /wait|lock/i);

    // The same from the service, in its sandbox.
    app.publish('1.0', '1.1', '1.2');
    assert.equal(await startService('tako@pre.service'), 0);
    assert.equal(await app.running(), '1.2');
    assert.doesNotMatch(transcript(journal('_SYSTEMD_UNIT=tako@pre.service')), /wait|lock/i);
  },

  'tako-init@ brings the image before the units that need it, and later needs no server': async () => {
    const app = await newApp('needed', 'Restart=needs@needed.service');
    app.publish('1.0');
    await sh('systemctl start needs@needed.service');
    assert.equal(await app.running(), '1.0');
    const away = readFileSync(app.config, 'utf8').replace(/^Origin=.*/m, 'Origin=http://127.0.0.1:1/');
    put(app.config, away);
    await sh('systemctl stop needs@needed.service tako-init@needed.service');
    await sh('systemctl start needs@needed.service');
    assert.equal(await app.running(), '1.0');
    // Without an image, and without a server, the unit is not started at all.
    await newApp('absent');
    put('/etc/tako/absent', away.replaceAll('needed', 'absent'));
    assert.notEqual((await attempt('systemctl start needs@absent.service')).status, 0);
    assert.equal(await property('tako-init@absent.service', 'ExecMainStatus'), '4');
    assert.equal(await property('needs@absent.service', 'ExecMainStartTimestamp'), '');
  },

  'a restart that a killed run owes is done by the next one': async () => {
    const app = await newApp('killed');
    app.publish('1.0');
    await app.fetched();
    app.publish('1.0', '1.1');
    rmSync('/run/stuck', { force: true });
    const env = { ...process.env, PATH: `/usr/local/lib/stuck:${process.env['PATH']}` };
    const child = spawn('/usr/bin/tako', ['fetch', app.config], { env, stdio: 'ignore' });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    const [pid, ...words] = (await waitFor('systemctl', () => readMaybe('/run/stuck'))).trim().split(' ');
    assert.deepEqual(words, ['restart', '--', 'app@killed.service']);
    child.kill('SIGKILL');
    assert.equal(await ended, 'SIGKILL');
    process.kill(Number(pid), 'SIGKILL');

    assert.equal(linked(app.destination), program('1.1'));
    assert.equal(await app.running(), '1.0');
    const { owed, health, currentVersion } = await app.status();
    const { at, ...debt } = owed as Record<string, unknown>;
    assert.deepEqual(debt, { restart: ['app@killed.service'], reload: [] });
    assert.ok(Date.parse(String(at)) > Date.now() - 60_000);
    assert.deepEqual([currentVersion, health], ['1.1', 'units are still to be restarted']);

    const { stdout, stderr } = await app.fetched('--json');
    assert.match(stderr, /an earlier run .*doing it now/);
    assert.equal(await app.running(), '1.1');
    const after = await app.status();
    assert.deepEqual([after['owed'], after['health']], [null, 'good']);
    paid = stdout;
  },

  'the run that did it says so in its document': async () => {
    assert.deepEqual(onlyResult(paid)['restarted'], ['app@killed.service']);
  },

  'while a run restarts units, others leave them alone': async () => {
    const app = await newApp('busy', 'Restart=app@busy.service');
    app.publish('1.0');
    await app.fetched();
    app.configure('Restart=app@busy.service', 'HealthSec=8');
    app.publish('1.0', '1.1');
    const first = app.fetch();
    await waitFor('the restart', async () => (await app.running()) === '1.1');
    const invocation = await property('app@busy.service', 'InvocationID');

    const began = performance.now();
    const second = succeeded(await app.fetch());
    assert.match(second.stdout, /^\/etc\/tako\/busy: another run is restarting units: nothing done\n$/);
    assert.match(second.stderr, /process \d+ is restarting the units of this destination: leaving it alone/);
    assert.match((await app.fetched('--init')).stdout, /1\.1 is there/);
    rollback = await attempt(`tako rollback ${app.config}`);
    assert.match(rollback.stderr, /is restarting the units.*\n.*try again/);
    assert.ok(performance.now() - began < 6000, 'all of this while the first run watches');

    assert.match(succeeded(await first).stdout, /updated to 1\.1 from 1\.0 .*restarted app@busy\.service/);
    assert.equal(await property('app@busy.service', 'InvocationID'), invocation);
    assert.match((await app.fetched()).stdout, /1\.1 is current/);
  },

  'a rollback in the meantime is a temporary failure': async () => {
    assert.equal(rollback?.status, 4);
  },

  'a run in the sandbox and one outside of it know of each other': async () => {
    const app = await newApp('boxed');
    app.publish('1.0');
    await app.fetched();
    app.configure('Restart=app@boxed.service', 'HealthSec=4');
    app.publish('1.0', '1.1');
    const inside = startService('tako@boxed.service');
    await waitFor('the restart', async () => (await app.running()) === '1.1');
    assert.match((await app.fetched()).stdout, /another run is restarting units: nothing done/);
    assert.equal(await inside, 0);

    app.publish('1.0', '1.1', '1.2');
    const outside = app.fetch();
    await waitFor('the restart', async () => (await app.running()) === '1.2');
    const second = await startService('tako@boxed.service');
    assert.equal((await outside).status, 0);
    assert.equal(second, 0);
    assert.match(
      transcript(journal('_SYSTEMD_UNIT=tako@boxed.service')),
      /another run is restarting units: nothing done/,
    );
  },

  'Restart=, RestartUnit= and ReloadUnit= are obeyed, in this order, each unit once': async () => {
    const units = ['plain@one', 'plain@two', 'plain@old', 'plain@fresh'];
    const app = await newApp('fresh', 'Restart=plain@one.service plain@two.service', 'RestartUnit=plain@old.service');
    appendFileSync(app.config, 'Restart=plain@one.service\nReloadUnit=plain@fresh.service\n');
    app.publish('1.0');
    await sh('systemctl start plain@fresh.service');
    const pid = await property('plain@fresh.service', 'MainPID');
    const before = await Promise.all(units.map((unit) => property(`${unit}.service`, 'InvocationID')));
    const { stderr, stdout } = await app.fetched('--json');
    const invocations = await Promise.all(units.map((unit) => property(`${unit}.service`, 'InvocationID')));
    assert.deepEqual(
      invocations.map((id, i) => id !== before[i]),
      [true, true, true, false],
    );
    assert.equal(await property('plain@fresh.service', 'MainPID'), pid);
    const link = readlinkSync(join(app.destination, 'latest'));
    assert.equal(readFileSync('/run/reloads', 'utf8'), `fresh\n${link}\n`);
    assert.match(stderr, /line \d+: RestartUnit is the old name of Restart/);
    const { restarted, reloaded } = onlyResult(stdout);
    assert.deepEqual(restarted, ['plain@one.service', 'plain@two.service', 'plain@old.service']);
    assert.deepEqual(reloaded, ['plain@fresh.service']);
    const at = async (unit: string, name: string): Promise<number> => Number(await property(unit, name));
    const started = await at('plain@old.service', 'ExecMainStartTimestampMonotonic');
    assert.ok((await at('plain@one.service', 'ExecMainStartTimestampMonotonic')) > 0 && started > 0);
    const [job] = journal('_SYSTEMD_UNIT=init.scope', 'UNIT=plain@fresh.service').filter((entry) =>
      String(entry['MESSAGE']).startsWith('Reloading'),
    );
    assert.ok(Number(job?.['__MONOTONIC_TIMESTAMP']) >= started, 'reloaded after the others were restarted');
  },

  'an ordinary user has units of the own manager restarted': async () => {
    await sh('useradd -m -s /bin/sh joe && loginctl enable-linger joe');
    const uid = await sh('id -u joe');
    await waitFor("joe's manager", () => readMaybe(`/run/user/${uid}/systemd/private`) === undefined && hasBus(uid));
    const env = `HOME=/home/joe XDG_RUNTIME_DIR=/run/user/${uid} DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/${uid}/bus PATH=/usr/bin:/bin`;
    const joe = (command: string): Promise<Outcome> =>
      attempt(`setpriv --reuid=${uid} --regid=${uid} --init-groups --reset-env env ${env} sh -c '${command}'`);
    const must = async (command: string): Promise<Outcome> => succeeded(await joe(command));
    const { publish: release, config } = await newApp('joes');
    await must('mkdir -p -m 755 ~/images ~/.config/tako ~/.config/systemd/user');
    put(
      '/home/joe/.config/tako/app',
      readFileSync(config, 'utf8')
        .replace(/Destination=.*/, 'Destination=/home/joe/images')
        .replace('app@joes', 'mine'),
    );
    const unit = '[Service]\nEnvironment=BEAT=%t/mine.beat\nExecStart=/bin/sh /home/joe/images/latest\n';
    put('/home/joe/.config/systemd/user/mine.service', unit);
    await must('chown joe: ~/.config/tako/app 2>/dev/null || true; systemctl --user daemon-reload');
    await sh('chown joe: /home/joe/.config/tako/app /home/joe/.config/systemd/user/mine.service');

    release('1.0');
    const first = await must('tako fetch ~/.config/tako/app');
    assert.match(first.stdout, /installed 1\.0 .*restarted mine\.service/);
    assert.equal(await beat(`/run/user/${uid}/mine.beat`), '1.0');
    release('1.0', '1.1');
    await must('tako fetch ~/.config/tako/app');
    assert.equal(await beat(`/run/user/${uid}/mine.beat`), '1.1');
    assert.equal((await must('systemctl --user is-active mine.service')).stdout.trim(), 'active');
    assert.equal(await property('mine.service', 'LoadState'), 'not-found');
    const status = onlyResult((await must('tako status --json')).stdout);
    assert.deepEqual([status['config'], status['currentVersion']], ['/home/joe/.config/tako/app', '1.1']);
    const entries = journal(`MESSAGE_ID=${UPDATED}`, 'TAKO_CONFIG=/home/joe/.config/tako/app');
    assert.deepEqual(
      entries.map((entry) => [entry['TAKO_VERSION'], entry['_UID']]),
      [
        ['1.0', uid],
        ['1.1', uid],
      ],
    );
  },

  'a unit that does not exist: status 1, the image stays linked, the restart is remembered and done later':
    async () => {
      const app = await newApp('early', 'Restart=later.service');
      const debt = async (): Promise<unknown> => {
        const { owed } = await app.status();
        return (owed as { restart?: unknown } | null)?.restart ?? null;
      };
      app.publish('1.0');
      const first = await app.fetch();
      assert.equal(first.status, 1);
      assert.match(first.stderr, /later\.service.*not found/);
      assert.equal(linked(app.destination), program('1.0'));
      assert.deepEqual(await debt(), ['later.service']);

      // An update neither: a name that is wrong is no reason to go back.
      app.publish('1.0', '1.1');
      assert.equal((await app.fetch()).status, 1);
      assert.equal(linked(app.destination), program('1.1'));
      assert.deepEqual(await debt(), ['later.service']);
      assert.match(await sh(`tako status ${app.config}`), /owed: +restart later\.service/);
      assert.equal((await app.fetch()).status, 1, 'as long as it is owed');
      assert.deepEqual((await app.status())['skip'], []);

      const unit = readFileSync('/etc/systemd/system/app@.service', 'utf8').replaceAll('%i', 'early');
      put('/etc/systemd/system/later.service', unit);
      await sh('systemctl daemon-reload');
      await app.fetched();
      assert.equal(await app.running(), '1.1');
      assert.equal(await debt(), null);
      assert.equal(readState(app.destination)['owed'], null);
      assert.match((await app.fetched()).stdout, /1\.1 is current/);
    },

  'nothing that tako ever wrote to the journal has escape codes or a priority in its text': async () => {
    const all = journal('SYSLOG_IDENTIFIER=tako');
    assert.ok(all.length > 20);
    assert.deepEqual(
      all.filter(({ MESSAGE }) => !isPlain(MESSAGE)),
      [],
    );
  },
};

function hasBus(uid: string): boolean {
  try {
    execFileSync('test', ['-S', `/run/user/${uid}/bus`]);
    return true;
  } catch {
    return false; // not yet
  }
}

if (INSIDE) await runScenarios(scenarios);
else describeMachine({ title: 'tako under systemd', module: import.meta.url, files: FILES, scenarios });
