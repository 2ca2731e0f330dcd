import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { FAILED, Host, never } from '../host.fixture.ts';
import { assertCheckRuns, checkHealth } from './health.ts';

/** A host whose check is this script. */
function place(
  t: TestContext,
  script?: string,
  ...args: readonly string[]
): { host: Host; file(name: string): string } {
  const root = scratch(t);
  const check = join(root, 'check');
  if (script !== undefined) fs.writeFileSync(check, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const line = script === undefined ? [] : [`HealthCheck=${[check, ...args].join(' ')}`];
  return { host: new Host(root, ['Restart=app.service', ...line]), file: (name) => join(root, name) };
}
const check = (host: Host, signal = never): Promise<string | undefined> =>
  checkHealth(host.config, { version: '1.0 beta', image: '/i/mage' }, host.ports, signal);

describe('the health after a restart', () => {
  it('is good when units run and no check is given, or the check says so', async (t) => {
    assert.equal(await check(place(t).host), undefined);
    assert.equal(await check(place(t, 'exit 0').host), undefined);
  });

  it('is bad when a unit does not run: the check is not even asked', async (t) => {
    const { host, file } = place(t, 'touch "$(dirname "$0")/asked"');
    host.units.looks = () => FAILED;
    assert.match((await check(host)) ?? '', /^app\.service /);
    assert.ok(!fs.existsSync(file('asked')));
  });

  it('is bad when a unit falls over what the check asks of it', async (t) => {
    const { host, file } = place(t, 'touch "$(dirname "$0")/asked"');
    host.units.looks = () => (fs.existsSync(file('asked')) ? FAILED : {});
    assert.match((await check(host)) ?? '', /^app\.service /);
  });

  it('is bad when the check fails, with its status and what it printed, on one line', async (t) => {
    const flaw = (await check(place(t, 'echo out; printf "\\033[31merr\\nmore" >&2; exit 3').host)) ?? '';
    assert.match(flaw, /status 3: out; \\u\{1b\}\[31merr; more$/);
  });

  it('is bad when the check is killed', async (t) => {
    assert.match((await check(place(t, 'kill -9 $$').host)) ?? '', /SIGKILL/);
  });

  it('is bad when the check does not end, after a second at least', async (t) => {
    const begun = Date.now();
    assert.match((await check(place(t, 'exec sleep 60').host)) ?? '', /did not end/);
    assert.ok(Date.now() - begun >= 990);
  });

  it('keeps the beginning of a long complaint', async (t) => {
    const flaw = (await check(place(t, 'head -c 100000 /dev/zero | tr "\\0" x; exit 1').host)) ?? '';
    assert.ok(flaw.length > 4000 && flaw.length < 4500, String(flaw.length));
  });

  it('tells the check what it judges, and nothing else of our environment', async (t) => {
    const { host, file } = place(
      t,
      'env > "$(dirname "$0")/env"; printf "%s|" "$@" > "$(dirname "$0")/args"',
      '"a b"',
      '$HOME',
      'c;d',
    );
    process.env['TAKO_SECRET_KEY'] = 'secret';
    try {
      assert.equal(await check(host), undefined);
    } finally {
      delete process.env['TAKO_SECRET_KEY'];
    }
    const variables = fs.readFileSync(file('env'), 'utf8').trimEnd().split('\n');
    const ours = variables.filter((line) => !/^(PWD|_|SHLVL|OLDPWD)=/.test(line)).sort(); // the shell's own
    assert.deepEqual(
      ours.map((line) => line.split('=')[0]),
      ['PATH', 'TAKO_CONFIG', 'TAKO_IMAGE', 'TAKO_VERSION'],
    );
    assert.ok(ours.includes('TAKO_VERSION=1.0 beta') && ours.includes('TAKO_IMAGE=/i/mage'));
    assert.ok(ours.includes(`TAKO_CONFIG=${host.config.path}`));
    assert.equal(fs.readFileSync(file('args'), 'utf8'), 'a b|$HOME|c;d|');
  });

  it('is not waited for when the signal has come', async (t) => {
    const { host } = place(t, 'exec sleep 60');
    const controller = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => controller.abort(reason), 50);
    await assert.rejects(check(host, controller.signal), reason);
  });

  it('is bad when the check has vanished', async (t) => {
    const { host, file } = place(t, 'exit 0');
    const { config } = host;
    fs.rmSync(file('check'));
    assert.match((await checkHealth(config, { version: '1', image: '/' }, host.ports, never)) ?? '', /no such program/);
  });
});

describe('a check that cannot be run', () => {
  it('is found out before anything is switched', async (t) => {
    const { host, file } = place(t, 'exit 0');
    assertCheckRuns(host.config);
    fs.chmodSync(file('check'), 0o644);
    assert.throws(() => assertCheckRuns(host.config), { code: 'INVALID_CONFIG', subject: host.config.path });
    fs.rmSync(file('check'));
    assert.throws(() => assertCheckRuns(host.config), { code: 'INVALID_CONFIG' });
  });

  it('is not one that nobody wants', (t) => assert.doesNotThrow(() => assertCheckRuns(place(t).host.config)));
});
