/** What happens between the switch of `latest` and units that run: failures, the way back, and debts of killed runs. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import type { HistoryEntry, Mark } from '../destination/state.ts';
import { AT, debt, FAILED, Host, type Images, MemoryOrigin, sha256 } from '../host.fixture.ts';

const V1 = { '1.0': 'image one' };
const V2 = { ...V1, '1.1': 'image number two' };
const V3 = { ...V2, '1.2': 'image number three' };
const HEX1 = sha256(V1['1.0']);
const HEX2 = sha256(V2['1.1']);
const BEFORE = '2024-03-01T11:00:00Z';
const jobFailed = new CodedError('SYSTEMCTL_FAILED', 'systemctl restart app.service: Job failed.');

/** 1.0 is linked, 1.1 is published. */
function place(t: TestContext, images: Images = V2, settings: readonly string[] = ['Restart=app.service']) {
  const origin = new MemoryOrigin(images);
  const host = new Host(scratch(t), settings, [origin]);
  host.provision(V1, '1.0');
  return { host, origin };
}

const pending = (version: string, hex: string, previousVersion: string | null, action: HistoryEntry['action']) =>
  ({ at: BEFORE, action, version, sha256: hex, previousVersion, result: 'pending' }) as const;
const skip = (version: string, reason: Mark['reason'] = 'health'): Mark => ({ version, reason, at: BEFORE });

/** Actions, versions and results of the history. */
const story = (host: Host): string[] =>
  host.state().history.map(({ action, version, result }) => `${action} ${version}: ${result}`);

/** The image of which units do not run. */
function bad(host: Host, ...versions: readonly string[]): void {
  host.units.looks = () => (versions.includes(host.latest(V3) ?? '') ? FAILED : {});
}

/** A restart that fails as systemd tells it, as long as one of these images is linked. */
function badStart(host: Host, ...versions: readonly string[]): void {
  bad(host, ...versions);
  host.units.onJob = () => {
    if (versions.includes(host.latest(V3) ?? '')) throw jobFailed;
  };
}

describe('an image whose units do not run', () => {
  for (const [how, spoil] of [
    ['do not stay active', bad],
    ['cannot be started', badStart],
  ] as const) {
    it(`because they ${how} is taken back: the earlier one is linked and its units run again`, async (t) => {
      const { host } = place(t);
      spoil(host, '1.1');
      await assert.rejects(host.fetch(), { name: 'TakoError', code: 'HEALTH_FAILED' });
      assert.equal(host.latest(V2), '1.0');
      assert.deepEqual(host.units.jobs(), ['restart app.service', 'restart app.service']);
      assert.deepEqual(story(host), ['update 1.1: health failed', 'health 1.0: done']);
      const { skip: skipped, owed, succeededAt, previous } = host.state();
      assert.deepEqual(skipped, [{ version: '1.1', reason: 'health', at: AT }]);
      assert.deepEqual([owed, succeededAt, previous], [null, null, null]);
    });
  }

  it('is not taken again', async (t) => {
    const { host, origin } = place(t);
    bad(host, '1.1');
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    host.units.jobs();
    const result = await host.fetch();
    assert.deepEqual(
      [result.outcome, result.entry?.version.text, result.newest?.version.text],
      ['unchanged', '1.0', '1.1'],
    );
    assert.deepEqual([host.units.jobs(), host.latest(V2)], [[], '1.0']);
    origin.publish(V3);
    assert.deepEqual([(await host.fetch()).outcome, host.latest(V3)], ['updated', '1.2']);
  });

  it('is never the way back of a later one', async (t) => {
    const { host, origin } = place(t);
    bad(host, '1.1', '1.2');
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    origin.publish(V3);
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.equal(host.latest(V3), '1.0');
    assert.deepEqual(
      host.state().skip.map((mark) => mark.version),
      ['1.1', '1.2'],
    );
  });

  it('leaves the image that worked before as the way back from the one that works now', async (t) => {
    const { host, origin } = place(t);
    await host.fetch();
    bad(host, '1.2');
    origin.publish(V3);
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.deepEqual([host.latest(V3), host.state().previous], ['1.1', HEX1]);
  });

  it('is taken back although the reload failed and not the restart', async (t) => {
    const { host } = place(t, V2, ['ReloadUnit=web.service']);
    badStart(host, '1.1');
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.deepEqual([host.latest(V2), host.units.jobs()], ['1.0', ['reload web.service', 'reload web.service']]);
  });

  it('and whose predecessor does not stay up either leaves the predecessor linked, and nothing owed', async (t) => {
    const { host } = place(t);
    bad(host, '1.0', '1.1');
    await assert.rejects(host.fetch(), (error: CodedError) => {
      assert.equal(error.code, 'HEALTH_FAILED');
      assert.ok(error.cause instanceof CodedError);
      return true;
    });
    assert.deepEqual([host.latest(V2), host.state().owed], ['1.0', null]);
    assert.deepEqual(host.units.jobs(), ['restart app.service', 'restart app.service']);
    assert.deepEqual(story(host), ['update 1.1: health failed', 'health 1.0: health failed']);
  });

  it('and whose predecessor cannot be started either leaves the predecessor linked, its restart owed to the next run', async (t) => {
    const { host } = place(t);
    badStart(host, '1.0', '1.1');
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.deepEqual([host.latest(V2), host.state().owed?.image, host.state().owed?.reason], ['1.0', HEX1, 'health']);
    assert.deepEqual(host.units.jobs(), ['restart app.service', 'restart app.service']);
    badStart(host);
    assert.deepEqual([(await host.fetch()).outcome, host.units.jobs()], ['unchanged', ['restart app.service']]);
    assert.deepEqual([host.state().owed, story(host)], [null, ['update 1.1: health failed', 'health 1.0: done']]);
  });

  it('is taken back only to an image that is whole', async (t) => {
    const { host } = place(t);
    bad(host, '1.1');
    host.units.onJob = () => void host.store('image OnE', HEX1);
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.deepEqual([host.latest(V2), host.state().owed, story(host)], ['1.1', null, ['update 1.1: health failed']]);
    assert.deepEqual(host.units.jobs(), ['restart app.service']);
  });

  it('on the first installation stays linked, since there is nothing before it', async (t) => {
    const origin = new MemoryOrigin(V1);
    const host = new Host(scratch(t), ['Restart=app.service'], [origin]);
    bad(host, '1.0');
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.deepEqual([host.latest(V1), host.state().owed], ['1.0', null]);
    assert.deepEqual([story(host), host.state().skip], [['install 1.0: health failed'], []]);
  });

  it('on the first installation and cannot even be started stays owed', async (t) => {
    const host = new Host(scratch(t), ['Restart=app.service'], [new MemoryOrigin(V1)]);
    badStart(host, '1.0');
    await assert.rejects(host.fetch(), { code: 'RESTART_FAILED' });
    assert.deepEqual([host.latest(V1), host.state().owed?.image, host.state().owed?.previous], ['1.0', HEX1, null]);
    badStart(host);
    host.units.jobs();
    assert.deepEqual([(await host.fetch()).outcome, host.units.jobs()], ['unchanged', ['restart app.service']]);
    assert.deepEqual([host.state().owed, story(host)], [null, ['install 1.0: done']]);
  });

  it('is what the administrator says it is: a check that fails takes it back as well', async (t) => {
    const { host } = place(t);
    const script = join(host.path, '../check');
    fs.writeFileSync(script, '#!/bin/sh\necho "$TAKO_VERSION is bad"; [ "$TAKO_VERSION" != 1.1 ]\n', { mode: 0o755 });
    host.settings = [`HealthCheck=${script}`];
    await assert.rejects(host.fetch(), (error: CodedError) => {
      return error.code === 'HEALTH_FAILED' && error.message.includes('1.1 is bad');
    });
    assert.deepEqual([host.latest(V2), host.units.jobs()], ['1.0', []]);
    assert.deepEqual(story(host), ['update 1.1: health failed', 'health 1.0: done']);
  });

  it('is held no more, or every run would try it again', async (t) => {
    const { host } = place(t);
    host.remember({ hold: { version: '1.1', reason: 'hold', at: BEFORE } });
    bad(host, '1.1');
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.deepEqual([host.state().hold, host.latest(V2)], [null, '1.0']);
    assert.equal((await host.fetch()).outcome, 'unchanged');
  });

  it('goes back at once, also outside of a window that closed meanwhile', async (t) => {
    const { host } = place(t, V2, ['Restart=app.service', 'MaintenanceWindow=*-*-* 12:00 UTC']);
    bad(host, '1.1');
    host.units.onJob = () => {
      host.now += 60_000;
    };
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.deepEqual([host.latest(V2), host.units.jobs().length], ['1.0', 2]);
  });
});

describe('a systemctl that fails', () => {
  for (const [what, look] of [
    ['while all units run', {}],
    ['for a unit that systemd does not know', { loadState: 'not-found', activeState: 'inactive' }],
  ] as const) {
    it(`${what} is no fault of the image: it stays linked, and the restart stays owed`, async (t) => {
      const { host } = place(t);
      host.units.looks = () => look;
      host.units.onJob = () => {
        throw jobFailed;
      };
      await assert.rejects(host.fetch(), { code: 'RESTART_FAILED' });
      assert.deepEqual([host.latest(V2), host.units.jobs()], ['1.1', ['restart app.service']]);
      const { owed, skip: skipped, history } = host.state();
      assert.deepEqual(
        [owed?.image, owed?.previous, owed?.restart, owed?.reason],
        [HEX2, HEX1, ['app.service'], 'update'],
      );
      assert.deepEqual([skipped, history.at(-1)?.result], [[], 'pending']);
    });
  }

  it('and cannot even be asked leaves it so as well', async (t) => {
    const { host } = place(t);
    host.units.onJob = () => {
      throw new CodedError('PROGRAM_MISSING', 'systemctl: no such program');
    };
    host.units.show = async () => {
      throw new CodedError('PROGRAM_MISSING', 'systemctl: no such program');
    };
    await assert.rejects(host.fetch(), { code: 'RESTART_FAILED' });
    assert.deepEqual([host.latest(V2), host.state().owed?.image], ['1.1', HEX2]);
  });

  it('is tried again by the next run, which reports it again', async (t) => {
    const { host } = place(t);
    host.units.onJob = () => {
      throw jobFailed;
    };
    await assert.rejects(host.fetch(), { code: 'RESTART_FAILED' });
    await assert.rejects(host.fetch(), { code: 'RESTART_FAILED' });
    assert.equal(host.state().succeededAt, null, 'a run that still owes has not ended well');
    assert.deepEqual([host.units.jobs().length, host.state().owed?.image], [2, HEX2]);
    host.units.onJob = () => undefined;
    assert.equal((await host.fetch()).outcome, 'unchanged');
    assert.deepEqual(
      [host.units.jobs(), host.state().owed, host.state().previous],
      [['restart app.service'], null, HEX1],
    );
  });

  it('does not keep a newer image away', async (t) => {
    const { host, origin } = place(t);
    host.units.onJob = () => {
      if (host.latest(V3) === '1.1') throw jobFailed;
    };
    await assert.rejects(host.fetch(), { code: 'RESTART_FAILED' });
    origin.publish(V3);
    const result = await host.fetch();
    assert.deepEqual([result.outcome, host.latest(V3), host.state().owed], ['updated', '1.2', null]);
  });

  it('during an update over an image that was never proven leaves the proven one as the way back', async (t) => {
    const { host, origin } = place(t);
    host.units.onJob = () => {
      if (host.latest(V3) === '1.1') throw jobFailed;
    };
    await assert.rejects(host.fetch(), { code: 'RESTART_FAILED' });
    origin.publish(V3);
    bad(host, '1.2');
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.equal(host.latest(V3), '1.0');
  });
});

describe('an update that another run has taken over meanwhile', () => {
  for (const well of [true, false]) {
    it(`is left to that run, ${well ? 'when all went well' : 'also when units do not run'}`, async (t) => {
      const { host } = place(t);
      const theirs = debt(V2['1.1'], V1['1.0'], { at: '2024-03-01T12:00:07Z' });
      host.units.onJob = () => host.remember({ owed: theirs });
      if (!well) bad(host, '1.1');
      const done = host.fetch();
      if (well) assert.equal((await done).outcome, 'updated');
      else await assert.rejects(done, { code: 'HEALTH_FAILED' });
      assert.deepEqual([host.state().owed, host.latest(V2), host.units.jobs().length], [theirs, '1.1', 1]);
    });
  }
});

describe('after a run that was killed', () => {
  it('the debt is on the disk before the link is switched: without it nobody would restart', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.0');
    fs.mkdirSync(join(host.path, '.tako/latest.tmp'), { recursive: true }); // the switch fails as if it were the end
    await assert.rejects(host.fetch({ mode: 'apply' }));
    assert.deepEqual([host.latest(V2), host.state().owed?.image], ['1.0', HEX2]);
    fs.rmdirSync(join(host.path, '.tako/latest.tmp'));
    assert.equal((await host.fetch()).outcome, 'updated');
    assert.deepEqual([host.units.jobs(), story(host)], [['restart app.service'], ['update 1.1: done']]);
  });

  it('once the manifest was stored, the next one goes on', async (t) => {
    const { host, origin } = place(t);
    fs.rmSync(join(host.path, 'manifest'));
    fs.writeFileSync(join(host.path, 'manifest'), origin.manifest, { mode: 0o444 });
    assert.deepEqual([(await host.fetch()).outcome, host.latest(V2)], ['updated', '1.1']);
  });

  it('amid writing, leftovers go, and read-only ones too', async (t) => {
    const { host } = place(t);
    fs.mkdirSync(join(host.path, '.tako'));
    for (const name of ['manifest.tmp', 'state.json.tmp']) {
      fs.writeFileSync(join(host.path, '.tako', name), 'half', { mode: 0o444 });
    }
    fs.symlinkSync('store/x', join(host.path, '.tako/latest.tmp'));
    await host.fetch();
    assert.deepEqual(fs.readdirSync(join(host.path, '.tako')).sort(), ['lock', 'state.json']);
    assert.equal(host.latest(V2), '1.1');
  });

  it('leftovers of the original program go when they are a day old, and not before', async (t) => {
    const { host } = place(t);
    const young = host.store('x', `${'0'.repeat(64)}.new`);
    const old = host.store('x', `${'1'.repeat(64)}.new`);
    const manifest = join(host.path, 'manifest.new');
    fs.writeFileSync(manifest, 'x');
    for (const [path, hours] of [
      [young, 23],
      [old, 25],
      [manifest, 25],
    ] as const) {
      fs.utimesSync(path, host.now / 1000 - hours * 3600, host.now / 1000 - hours * 3600);
    }
    await host.fetch();
    assert.deepEqual(
      [young, old, manifest].map((path) => fs.existsSync(path)),
      [true, false, false],
    );
  });

  it('with the debt written and the link not switched, the update never happened and is made anew, with one restart', async (t) => {
    for (const linked of ['1.0', undefined]) {
      const { host } = place(t);
      host.store(V2['1.1']);
      if (linked === undefined) fs.rmSync(join(host.path, 'latest'));
      const owed = debt(V2['1.1'], linked && V1['1.0']);
      host.remember({ owed, history: [pending('1.1', HEX2, linked ?? null, linked ? 'update' : 'install')] });
      const result = await host.fetch();
      assert.deepEqual([result.outcome, result.bytes, host.latest(V2)], ['updated', 0, '1.1']);
      assert.deepEqual([host.units.jobs(), host.state().owed], [['restart app.service'], null]);
      assert.deepEqual(story(host), [`${linked ? 'update' : 'install'} 1.1: done`]);
      assert.equal(host.state().previous, linked === undefined ? null : HEX1);
    }
  });

  it('with the debt written for an image that was withdrawn since, nothing is owed', async (t) => {
    const { host, origin } = place(t);
    origin.troubles.set('1.1', { error: new CodedError('HTTP_GONE', 'withdrawn') });
    host.remember({ owed: debt(V2['1.1'], V1['1.0']), history: [pending('1.1', HEX2, '1.0', 'update')] });
    assert.equal((await host.fetch()).outcome, 'unchanged');
    assert.deepEqual([host.units.jobs(), host.state().owed, story(host)], [[], null, []]);
  });

  it('with the link switched, the next one restarts what is owed and not what the configuration says by now', async (t) => {
    const { host, origin } = place(t, V2, ['Restart=new.service']);
    host.provision(V2, '1.1');
    host.remember({
      owed: debt(V2['1.1'], V1['1.0'], { restart: ['b.service', 'a.service'], reload: ['web.service'] }),
      history: [pending('1.1', HEX2, '1.0', 'update')],
    });
    const runners: unknown[] = [];
    host.units.onJob = () => void runners.push(host.state().owed?.runner?.pid, origin.asked.length);
    assert.equal((await host.fetch()).outcome, 'unchanged');
    assert.deepEqual(host.units.jobs(), ['restart b.service a.service', 'reload web.service']);
    assert.deepEqual(runners, [process.pid, 0, process.pid, 0], 'claimed first, and before the network is asked');
    assert.deepEqual([host.state().owed, host.state().previous, story(host)], [null, HEX1, ['update 1.1: done']]);
    assert.equal(host.texts('note').length, 1);
  });

  it('with the link switched, the network need not be there for the restart', async (t) => {
    const { host, origin } = place(t);
    host.provision(V2, '1.1');
    host.remember({ owed: debt(V2['1.1'], V1['1.0']) });
    origin.manifestError = new CodedError('HTTP_UNREACHABLE', 'no');
    await assert.rejects(host.fetch(), { code: 'HTTP_UNREACHABLE' });
    assert.deepEqual([host.units.jobs(), host.state().owed], [['restart app.service'], null]);
  });

  it('with the link switched and a newer image published, both are restarted in turn', async (t) => {
    const { host } = place(t, V3);
    host.provision(V2, '1.1');
    host.remember({ owed: debt(V2['1.1'], V1['1.0']), history: [pending('1.1', HEX2, '1.0', 'update')] });
    const result = await host.fetch();
    assert.deepEqual([result.outcome, result.previous?.version.text, host.latest(V3)], ['updated', '1.1', '1.2']);
    assert.deepEqual(host.units.jobs(), ['restart app.service', 'restart app.service']);
    assert.deepEqual([story(host), host.state().previous], [['update 1.1: done', 'update 1.2: done'], HEX2]);
  });

  it('with the link switched to an image that does not run, the next one goes back', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    host.remember({ owed: debt(V2['1.1'], V1['1.0']), history: [pending('1.1', HEX2, '1.0', 'update')] });
    bad(host, '1.1');
    await assert.rejects(host.fetch(), { code: 'HEALTH_FAILED' });
    assert.deepEqual([host.latest(V2), host.state().owed], ['1.0', null]);
    assert.deepEqual(story(host), ['update 1.1: health failed', 'health 1.0: done']);
  });

  it('with the link switched to an image that does not run and a newer one published, it takes the newer one', async (t) => {
    const { host } = place(t, V3);
    host.provision(V2, '1.1');
    host.remember({ owed: debt(V2['1.1'], V1['1.0']), history: [pending('1.1', HEX2, '1.0', 'update')] });
    bad(host, '1.1');
    assert.deepEqual([(await host.fetch()).outcome, host.latest(V3), host.state().previous], ['updated', '1.2', HEX1]);
  });

  it('once its debt was paid, units are not restarted again', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    host.remember({ owed: debt(V2['1.1'], V1['1.0']) });
    await host.fetch();
    await host.fetch();
    assert.deepEqual(host.units.jobs(), ['restart app.service']);
  });

  it('on its way back, with the link not switched, the next one goes to the end of it', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    host.remember({
      owed: debt(V1['1.0'], V2['1.1'], { reason: 'health' }),
      skip: [skip('1.1')],
      history: [
        { ...pending('1.1', HEX2, '1.0', 'update'), result: 'health failed' },
        pending('1.0', HEX1, '1.1', 'health'),
      ],
    });
    const result = await host.fetch();
    assert.deepEqual([result.outcome, result.entry?.version.text, host.latest(V2)], ['unchanged', '1.0', '1.0']);
    assert.deepEqual([host.units.jobs(), host.state().owed], [['restart app.service'], null]);
    assert.deepEqual(story(host), ['update 1.1: health failed', 'health 1.0: done']);
  });

  it('on its way back, with the link switched, the next one restarts', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.0');
    host.remember({ owed: debt(V1['1.0'], V2['1.1'], { reason: 'health' }), skip: [skip('1.1')] });
    assert.deepEqual([(await host.fetch()).outcome, host.latest(V2)], ['unchanged', '1.0']);
    assert.deepEqual([host.units.jobs(), host.state().owed], [['restart app.service'], null]);
  });

  it('on the way to an earlier image that an administrator wanted, the next one goes to the end of it', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    host.remember({
      owed: debt(V1['1.0'], V2['1.1'], { reason: 'rollback' }),
      skip: [skip('1.1', 'rollback')],
      history: [pending('1.0', HEX1, '1.1', 'rollback')],
    });
    assert.deepEqual([(await host.fetch()).outcome, host.latest(V2)], ['unchanged', '1.0']);
    assert.deepEqual([host.units.jobs(), story(host)], [['restart app.service'], ['rollback 1.0: done']]);
  });

  it('on its way back to an image that is damaged by now, the next one stays where it is', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    host.store('image OnE', HEX1);
    host.remember({ owed: debt(V1['1.0'], V2['1.1'], { reason: 'health' }), skip: [skip('1.1')] });
    await host.fetch();
    assert.deepEqual([host.latest(V2), host.units.jobs(), host.state().owed], ['1.1', [], null]);
  });

  it('an update without units owes nothing but the note that it is done', async (t) => {
    const { host } = place(t, V2, []);
    host.provision(V2, '1.1');
    host.remember({
      owed: debt(V2['1.1'], V1['1.0'], { restart: [] }),
      history: [pending('1.1', HEX2, '1.0', 'update')],
    });
    assert.equal((await host.fetch()).outcome, 'unchanged');
    assert.deepEqual([host.units.jobs(), host.state().owed, host.state().previous], [[], null, HEX1]);
    assert.deepEqual(story(host), ['update 1.1: done']);
  });

  it('and lost its memory, units that may be owed a restart are not known, and nothing is harmed', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    fs.mkdirSync(join(host.path, '.tako'));
    fs.writeFileSync(join(host.path, '.tako/state.json'), '{"schema":"tako.st');
    assert.deepEqual(
      [(await host.fetch()).outcome, host.units.jobs(), host.texts('warning').length],
      ['unchanged', [], 1],
    );
    assert.ok(fs.existsSync(join(host.path, '.tako/state.json.unread')));
    assert.equal(host.state().succeededAt, AT);
  });
});

describe('a debt', () => {
  const WINDOW = 'MaintenanceWindow=*-*-* 14:* UTC';

  it('of an update waits for the window, and is kept', async (t) => {
    const { host } = place(t, V3, ['Restart=app.service', WINDOW]);
    host.provision(V2, '1.1');
    const owed = debt(V2['1.1'], V1['1.0']);
    host.remember({ owed });
    assert.equal((await host.fetch()).outcome, 'staged');
    assert.deepEqual([host.units.jobs(), host.state().owed, host.latest(V3)], [[], owed, '1.1']);
    host.now += 2 * 3_600_000;
    assert.equal((await host.fetch()).outcome, 'updated');
    assert.deepEqual([host.units.jobs().length, host.state().owed, host.latest(V3)], [2, null, '1.2']);
  });

  it('of an update is not paid by a run that only stages, and is by one that applies', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    host.remember({ owed: debt(V2['1.1'], V1['1.0']) });
    await host.fetch({ mode: 'stage' });
    assert.deepEqual([host.units.jobs(), host.state().owed?.image], [[], HEX2]);
    await host.fetch({ mode: 'apply' });
    assert.deepEqual([host.units.jobs(), host.state().owed], [['restart app.service'], null]);
  });

  it('of a way back does not wait', async (t) => {
    const { host } = place(t, V2, ['Restart=app.service', WINDOW]);
    host.provision(V2, '1.0');
    host.remember({ owed: debt(V1['1.0'], V2['1.1'], { reason: 'health' }), skip: [skip('1.1')] });
    await host.fetch();
    assert.deepEqual([host.units.jobs(), host.state().owed], [['restart app.service'], null]);
  });

  it('is left alone by --init with a good image', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    const owed = debt(V2['1.1'], V1['1.0']);
    host.remember({ owed });
    assert.equal((await host.fetch({ init: true })).outcome, 'present');
    assert.deepEqual([host.units.jobs(), host.state().owed], [[], owed]);
  });

  it('is handed on by --init that links a newer image, with the way back to what was proven', async (t) => {
    const { host } = place(t, V3);
    host.provision(V2, '1.1', ['1.0']);
    host.remember({ owed: debt(V2['1.1'], V1['1.0']) });
    assert.deepEqual([(await host.fetch({ init: true })).outcome, host.latest(V3)], ['updated', '1.2']);
    const { owed } = host.state();
    assert.deepEqual(
      [host.units.jobs(), owed?.restart, owed?.previous, owed?.runner],
      [[], ['app.service'], HEX1, null],
    );
    await host.fetch();
    assert.deepEqual(
      [host.units.jobs(), host.state().owed, host.state().previous],
      [['restart app.service'], null, HEX1],
    );
  });

  it('does not keep its images from being spared by the collection', async (t) => {
    const { host } = place(t, V3, ['KeepBytes=1', WINDOW]);
    host.provision(V2, '1.1');
    host.remember({ owed: debt(V2['1.1'], V1['1.0']) });
    await host.fetch();
    assert.equal(host.stored()?.length, 3);
  });

  it('that cannot be paid and names no newer image ends the run with its own error, the image being there', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    host.remember({ owed: debt(V2['1.1'], undefined) });
    host.units.onJob = () => {
      throw jobFailed;
    };
    await assert.rejects(host.fetch(), { code: 'RESTART_FAILED' });
    assert.deepEqual([host.state().checkedAt, host.state().owed?.image], [AT, HEX2]);
  });
});
