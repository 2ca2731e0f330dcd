/**
 * Versions that do not run, on a booted systemd: the way back, and what an administrator decides by hand.
 *
 * As `tako-systemd.test.ts`, this file runs on the host, where it boots the machine, and in the machine.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { MachineFile } from '../support/machine.ts';
import { attempt, boot, reboot, sh, waitFor } from '../support/machine-agent.ts';
import { type Images, linked } from './support.ts';
import {
  type App,
  beat,
  describeMachine,
  INSIDE,
  installed,
  journal,
  messages,
  newApp,
  property,
  readMaybe,
  runScenarios,
  type Scenarios,
  succeeded,
  transcript,
} from './support-machine.ts';

/** Documented, and fixed for ever. */
const UNHEALTHY = '18121be75514473186542a0c88effec4';
const ROLLED_BACK = '338a4639c13a472f81e746350a96d65a';

/** Images are scripts. A good one says again and again which version runs, in the file $BEAT. */
const good = (version: string): string => `[ -z "$NOTIFY_SOCKET" ] || systemd-notify --ready\n${silent(version)}`;
/** Runs, and never says that it is ready. */
const silent = (version: string): string => `while :; do echo ${version} >"$BEAT"; sleep 0.1; done\n`;
const EXITS = 'echo 1.1 >"$BEAT"; exit 7\n';
const FLAPS = 'echo 1.1 >"$BEAT"; sleep 0.7; exit 0\n';
/** Runs for ever, and is of no use: what only a check can find out. */
const BROKEN = good('1.1 broken');

const service = (lines: string, limit = ''): string => `[Unit]
${limit}
[Service]
Environment=BEAT=/run/%i.beat
ExecStart=/bin/sh /var/lib/images/%i/latest
${lines}
[Install]
WantedBy=multi-user.target
`;
const FILES: Readonly<Record<string, MachineFile>> = {
  ...installed('tako@.service'),
  // A test restarts more often than an administrator does.
  '/etc/systemd/system/app@.service': service('', 'StartLimitIntervalSec=0'),
  '/etc/systemd/system/always@.service': service('Restart=always\nRestartSec=100ms'),
  // Three starts and no more: installed, updated, and once again by systemd itself.
  '/etc/systemd/system/limit@.service': service(
    'Restart=always\nRestartSec=100ms',
    'StartLimitBurst=3\nStartLimitIntervalSec=60',
  ),
  '/etc/systemd/system/notify@.service': service('Type=notify\nNotifyAccess=all\nTimeoutStartSec=2'),
  // Hangs at one version only, together with a child.
  '/usr/local/bin/hang': { content: '#!/bin/sh\n[ "$TAKO_VERSION" != 1.1 ] || sleep 6543; exit 0\n', mode: 0o755 },
  // Fails at one version only, and shows what it was given.
  '/usr/local/bin/show': {
    content: `#!/usr/bin/node
const words = process.argv.slice(2);
console.log(JSON.stringify({ words, env: process.env }));
console.error('x'.repeat(10_000));
process.exit(process.env.TAKO_VERSION === '1.1' ? 3 : 0);
`,
    mode: 0o755,
  },
};

function commandLines(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readMaybe(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? '');
}

/** What is remembered of a version that was left. */
async function skipped(app: App): Promise<unknown> {
  const { skip } = await app.status();
  return (skip as readonly Record<string, unknown>[]).map(({ version, reason }) => [version, reason]);
}

/** 1.0 runs, 1.1 does not, 1.2 does: what has to happen, whatever is wrong with 1.1. */
async function goesBack(
  name: string,
  { unit, lines, bad, flaw }: { unit: string; lines: readonly string[]; bad: string; flaw: RegExp },
): Promise<App> {
  const app = await newApp(name, `Restart=${unit}`, ...lines);
  app.publish({ '1.0': good('1.0') });
  await app.fetched();
  assert.equal(await app.running(), '1.0');

  app.publish({ '1.0': good('1.0'), '1.1': bad });
  assert.equal(await app.service(), 1);
  assert.equal(linked(app.destination), good('1.0'));
  assert.equal(await app.running(), '1.0');
  assert.equal(await property(unit, 'ActiveState'), 'active');
  const { currentVersion, updateVersion, owed } = await app.status();
  assert.deepEqual([currentVersion, updateVersion, owed], ['1.0', null, null]);
  assert.deepEqual(await skipped(app), [['1.1', 'health']]);

  const [entry, ...more] = journal(`MESSAGE_ID=${UNHEALTHY}`, `TAKO_CONFIG=${app.config}`);
  assert.deepEqual(more, []);
  assert.match(String(entry?.['MESSAGE']), flaw);
  assert.match(
    String(entry?.['MESSAGE']),
    new RegExp(`^${app.config}: 1\\.1: .*; went back to 1\\.0, which runs again(\\n|$)`, 's'),
  );
  const { PRIORITY, TAKO_CODE, _SYSTEMD_UNIT } = entry ?? {};
  assert.deepEqual([PRIORITY, TAKO_CODE, _SYSTEMD_UNIT], ['3', 'HEALTH_FAILED', `tako@${name}.service`]);
  const errors = app.said().filter((each) => Number(each['PRIORITY']) <= 3);
  assert.equal(errors.length, 1, 'said once');

  const invocation = await property(unit, 'InvocationID');
  assert.equal(await app.service(), 0);
  assert.equal(messages(app.said()).at(-1), `${app.config}: 1.0 is current`);
  assert.equal(linked(app.destination), good('1.0'));
  assert.equal(await property(unit, 'InvocationID'), invocation);

  app.publish({ '1.0': good('1.0'), '1.1': bad, '1.2': good('1.2') });
  assert.equal(await app.service(), 0);
  assert.equal(linked(app.destination), good('1.2'));
  assert.equal(await app.running(), '1.2');
  assert.equal((await app.status())['health'], 'good');
  return app;
}

const firstBoot: Scenarios = {
  'a version that exits at once': async () => {
    await goesBack('exits', {
      ...{ unit: 'app@exits.service', lines: ['HealthSec=1'], bad: EXITS },
      flaw: /app@exits\.service (is failed \(failed, result exit-code\)|is inactive)/,
    });
  },

  'what the administrator can do about it is in the journal, too': async () => {
    // Where the run came from the command line it is a second line on stderr.
    const app = await newApp('advice', 'Restart=app@advice.service', 'HealthSec=1');
    app.publish({ '1.0': good('1.0') });
    await app.fetched();
    app.publish({ '1.0': good('1.0'), '1.1': EXITS });
    assert.equal(await app.service(), 1);
    assert.match(transcript(app.said()), /1\.1 is skipped until a newer version appears.*tako unhold/);
  },

  'a version that flaps under Restart=always': async () => {
    await goesBack('flaps', {
      ...{ unit: 'always@flaps.service', lines: ['HealthSec=3'], bad: FLAPS },
      flaw: /always@flaps\.service (is activating|was restarted|did not stay up|is failed)/,
    });
  },

  'a version that flaps until systemd starts the unit no more': async () => {
    await goesBack('limit', {
      ...{ unit: 'limit@limit.service', lines: ['HealthSec=3'], bad: FLAPS },
      flaw: /limit@limit\.service (is activating|was restarted|did not stay up|is failed)/,
    });
  },

  'a version that never gets ready': async () => {
    await goesBack('unready', {
      ...{ unit: 'notify@unready.service', lines: ['HealthSec=1'], bad: silent('1.1') },
      flaw: /notify@unready\.service.*(timeout|timed out)/is,
    });
  },

  'a version that the check does not like': async () => {
    await goesBack('broken', {
      unit: 'app@broken.service',
      lines: ['HealthSec=1', 'HealthCheck=/bin/sh -c "! grep broken /run/broken.beat"'],
      bad: BROKEN,
      flaw: /check \/bin\/sh ended with status 1: 1\.1 broken/,
    });
  },

  'the check knows what it judges and nothing else, and its output is bounded': async () => {
    const app = await goesBack('shown', {
      unit: 'app@shown.service',
      lines: ['HealthSec=1', String.raw`HealthCheck=/usr/local/bin/show "two words" $HOME %i 'it''s' a\x20b`],
      bad: silent('1.1'),
      flaw: /check \/usr\/local\/bin\/show ended with status 3/,
    });
    const [message = ''] = messages(journal(`MESSAGE_ID=${UNHEALTHY}`, `TAKO_CONFIG=${app.config}`));
    const { words, env } = JSON.parse(/\{.*\}\}/.exec(message)?.[0] ?? '') as { words: string[]; env: object };
    assert.deepEqual(words, ['two words', '$HOME', '%i', 'its', 'a b']);
    assert.deepEqual(Object.keys(env).sort(), ['PATH', 'TAKO_CONFIG', 'TAKO_IMAGE', 'TAKO_VERSION']);
    const { TAKO_CONFIG, TAKO_IMAGE, TAKO_VERSION } = env as Record<string, string>;
    assert.deepEqual([TAKO_CONFIG, TAKO_VERSION], [app.config, '1.1']);
    assert.match(TAKO_IMAGE ?? '', /^\/var\/lib\/images\/shown\/store\/[0-9a-f]{64}$/);
    assert.ok(message.length > 4000 && message.length < 4400, String(message.length));
  },

  'a version at which the check hangs': async () => {
    const began = performance.now();
    await goesBack('hangs', {
      unit: 'app@hangs.service',
      lines: ['HealthSec=2', 'HealthCheck=/usr/local/bin/hang'],
      bad: silent('1.1'),
      flaw: /check \/usr\/local\/bin\/hang did not end within 2 s/,
    });
    assert.ok(performance.now() - began < 30_000);
    assert.deepEqual(
      commandLines().filter((line) => line.includes('6543')),
      [],
      'the child of the check is gone as well',
    );
  },

  'a first image that does not run stays linked, for there is none to go back to': async () => {
    const app = await newApp('first', 'Restart=app@first.service', 'HealthSec=1');
    app.publish({ '1.0': EXITS });
    assert.equal(await app.service(), 1);
    assert.equal(linked(app.destination), EXITS);
    assert.deepEqual(await skipped(app), []);
    assert.equal((await app.status())['health'], 'health failed');
    const found = messages(journal(`MESSAGE_ID=${UNHEALTHY}`, `TAKO_CONFIG=${app.config}`));
    assert.equal(found.length, 1);
    assert.match(found[0] ?? '', /^\/etc\/tako\/first: 1\.0: app@first\.service .*no earlier image.*stays linked/);
    app.publish({ '1.0': EXITS, '1.1': good('1.1') });
    assert.equal(await app.service(), 0);
    assert.equal(await app.running(), '1.1');
  },

  'rollback restarts the units, and what was left is not taken again': async () => {
    const app = await newApp('manual', 'Restart=app@manual.service', 'HealthSec=1');
    const upTo = (last: number): Images =>
      Object.fromEntries(Array.from({ length: last + 1 }, (_, i) => [`1.${i}`, good(`1.${i}`)]));
    for (const last of [0, 1, 2]) {
      app.publish(upTo(last));
      await app.fetched();
    }
    const back = succeeded(await attempt(`tako rollback ${app.config}`));
    assert.equal(back.stdout, `${app.config}: rolled back to 1.1 from 1.2, restarted app@manual.service\n`);
    assert.equal(await app.running(), '1.1');
    assert.deepEqual(await skipped(app), [['1.2', 'rollback']]);
    const [entry, ...more] = journal(`MESSAGE_ID=${ROLLED_BACK}`, `TAKO_CONFIG=${app.config}`);
    assert.deepEqual(more, []);
    const { MESSAGE, PRIORITY, TAKO_VERSION, TAKO_PREVIOUS_VERSION } = entry ?? {};
    assert.equal(MESSAGE, `${app.config}: rolled back from 1.2 to 1.1`);
    assert.deepEqual([PRIORITY, TAKO_VERSION, TAKO_PREVIOUS_VERSION], ['5', '1.1', '1.2']);
    assert.match((await app.fetched()).stdout, /1\.1 is current/);

    succeeded(await attempt(`tako rollback ${app.config} 1.0`));
    assert.equal(await app.running(), '1.0');
    assert.match((await app.fetched()).stdout, /1\.0 is current/);
    app.publish(upTo(3));
    assert.match((await app.fetched()).stdout, /updated to 1\.3 from 1\.0/);
    assert.equal(await app.running(), '1.3');

    succeeded(await attempt(`tako hold ${app.config} 1.1`));
    assert.match((await app.fetched()).stdout, /updated to 1\.1 from 1\.3/);
    assert.equal(await app.running(), '1.1');
    app.publish(upTo(4));
    assert.match((await app.fetched()).stdout, /1\.1 is current/);
    const { hold } = await app.status();
    assert.equal((hold as Record<string, unknown> | null)?.['version'], '1.1');
    succeeded(await attempt(`tako unhold ${app.config}`));
    assert.deepEqual([(await app.status())['hold'], await skipped(app)], [null, []]);
    assert.match((await app.fetched()).stdout, /updated to 1\.4 from 1\.1/);
    assert.equal(await app.running(), '1.4');
  },

  'outside of the maintenance window an update is staged; apply switches': async () => {
    const lines = ['Restart=app@window.service', 'HealthSec=1'];
    const app = await newApp('window', ...lines);
    app.publish({ '1.0': good('1.0') });
    await app.fetched();
    app.configure(...lines, 'MaintenanceWindow=1999-*-* *:*');
    app.publish({ '1.0': good('1.0'), '1.1': good('1.1') });
    const invocation = await property('app@window.service', 'InvocationID');
    assert.equal(await app.service(), 0);
    assert.match(messages(app.said()).at(-1) ?? '', /1\.1 is staged \(.* fetched\), not linked yet/);
    assert.equal(linked(app.destination), good('1.0'));
    assert.equal(await property('app@window.service', 'InvocationID'), invocation);
    const { updateVersion, updateStaged } = await app.status();
    assert.deepEqual([updateVersion, updateStaged], ['1.1', true]);

    // Without the origin: all that is needed has been fetched.
    rmSync('/srv/window/store', { recursive: true });
    const applied = succeeded(await attempt(`tako apply ${app.config}`));
    assert.match(applied.stdout, /updated to 1\.1 from 1\.0 \(was stored already\), restarted app@window\.service/);
    assert.equal(await app.running(), '1.1');

    // An open window is none at all.
    app.configure(...lines, 'MaintenanceWindow=1999-*-* *:*', 'MaintenanceWindow=*-*-* *:*');
    app.publish({ '1.0': good('1.0'), '1.1': good('1.1'), '1.2': good('1.2') });
    assert.equal(await app.service(), 0);
    assert.equal(await app.running(), '1.2');
  },

  'the metrics tell the dead from the staged and the sound': async () => {
    const sick = await newApp('sick', 'Restart=app@sick.service', 'HealthSec=1');
    sick.publish({ '1.0': good('1.0') });
    await sick.fetched();
    sick.publish({ '1.0': good('1.0'), '1.1': EXITS });
    const dead = await newApp('dead', 'Restart=app@dead.service', 'HealthSec=1');
    dead.publish({ '1.0': EXITS });
    const staged = await newApp('staged', 'MaintenanceWindow=1999-*-* *:*');
    staged.publish({ '1.0': good('1.0') });
    const sound = await newApp('sound', 'Restart=app@sound.service', 'HealthSec=1');
    sound.publish({ '1.0': good('1.0') });

    mkdirSync('/run/metrics');
    await sh('sleep 1.1'); // the times have whole seconds
    const began = Math.floor(Date.now() / 1000);
    const { status } = await attempt(
      `tako fetch --metrics /run/metrics/tako.prom ${[sick, dead, staged, sound].map(({ config }) => config).join(' ')}`,
    );
    assert.equal(status, 1);
    assert.deepEqual(readdirSync('/run/metrics'), ['tako.prom']);
    assert.equal(statSync('/run/metrics/tako.prom').mode & 0o777, 0o644);
    const text = readFileSync('/run/metrics/tako.prom', 'utf8');
    const values = (metric: string): Record<string, number> =>
      Object.fromEntries(
        [...text.matchAll(new RegExp(`^${metric}\\{program="tako",name="(\\w+)"\\} (\\S+)$`, 'gm'))].map(
          ([, name = '', value]) => [name, Number(value)],
        ),
      );
    // After a way back the earlier image runs, and still somebody should look at the newest.
    assert.deepEqual(values('tako_health'), { sick: 0, dead: 0, staged: 1, sound: 1 });
    assert.deepEqual(values('tako_update_available'), { sick: 0, dead: 0, staged: 1, sound: 0 });
    const size = good('1.0').length;
    assert.deepEqual(values('tako_store_bytes'), {
      sick: size + EXITS.length,
      dead: EXITS.length,
      staged: size,
      sound: size,
    });
    const success = values('tako_last_success_timestamp_seconds');
    assert.deepEqual(Object.keys(success), ['sick', 'staged', 'sound']);
    assert.ok((success['sick'] ?? 0) < began && (success['staged'] ?? 0) >= began && (success['sound'] ?? 0) >= began);
    const shape = /^(# TYPE (\w+) gauge\n# HELP \2 .+\n(\2\{program="tako",name="\w+"\} [0-9.]+\n){3,4}){4}# EOF\n$/;
    assert.match(text, shape);
  },
};

const REBOOTED = { sound: 'late', broken: 'worse' } as const;
const CHECK = (name: string): readonly string[] => [
  `Restart=app@${name}.service`,
  'HealthSec=4',
  `HealthCheck=/bin/sh -c "! grep broken /run/${name}.beat"`,
];

/** Two updates, both linked, both still being watched. */
async function interrupt(): Promise<void> {
  const images = { [REBOOTED.sound]: good('1.1'), [REBOOTED.broken]: BROKEN };
  for (const [name, image] of Object.entries(images)) {
    const app = await newApp(name, ...CHECK(name));
    app.publish({ '1.0': good('1.0') });
    await app.fetched();
    app.publish({ '1.0': good('1.0'), '1.1': image });
    await sh(`systemctl enable app@${name}.service`);
  }
  for (const name of Object.keys(images)) await sh(`systemctl start --no-block tako@${name}.service`);
  for (const name of Object.keys(images)) {
    await waitFor('the restart', async () => (await beat(`/run/${name}.beat`)).startsWith('1.1'));
    assert.equal(await property(`tako@${name}.service`, 'ActiveState'), 'activating');
  }
  await reboot();
}

const secondBoot: Scenarios = {
  'a reboot in the middle of the watch: linked and running is one whole version': async () => {
    for (const [name, images] of [
      [REBOOTED.sound, { '1.0': good('1.0'), '1.1': good('1.1') }],
      [REBOOTED.broken, { '1.0': good('1.0'), '1.1 broken': BROKEN }],
    ] as const) {
      const app = await newApp(name, ...CHECK(name));
      const image = linked(app.destination);
      const version = Object.entries(images).find(([, content]) => content === image)?.[0];
      assert.ok(version !== undefined, image);
      assert.equal(await app.running(), version);
    }
  },

  'a reboot in the middle of the watch: the next run ends what was begun': async () => {
    const app = await newApp(REBOOTED.sound, ...CHECK(REBOOTED.sound));
    assert.equal(await app.service(), 0);
    assert.match(transcript(app.said()), /an earlier run .*doing it now/);
    assert.equal(await app.running(), '1.1');
    const { currentVersion, owed, health } = await app.status();
    assert.deepEqual([currentVersion, owed, health, await skipped(app)], ['1.1', null, 'good', []]);
  },

  'a reboot in the middle of the watch: a version that does not run is found out, and left': async () => {
    const app = await newApp(REBOOTED.broken, ...CHECK(REBOOTED.broken));
    assert.equal(await app.service(), 1);
    assert.equal(await app.running(), '1.0');
    assert.equal(linked(app.destination), good('1.0'));
    assert.deepEqual([(await app.status())['owed'], await skipped(app)], [null, [['1.1', 'health']]]);
    assert.equal(journal(`MESSAGE_ID=${UNHEALTHY}`, `TAKO_CONFIG=${app.config}`).length, 1);
  },
};

async function inTheMachine(): Promise<void> {
  if (boot() > 1) return runScenarios(secondBoot, 1);
  await runScenarios(firstBoot, 3); // most of the time they wait

  await interrupt();
}

if (INSIDE) await inTheMachine();
else
  describeMachine({
    title: 'an image that does not run',
    module: import.meta.url,
    files: FILES,
    scenarios: { ...firstBoot, ...secondBoot },
  });
