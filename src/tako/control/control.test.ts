import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import { processIdentity } from '../../linux/processes/process-identity.ts';
import { openDestination } from '../destination/destination.ts';
import type { Mark } from '../destination/state.ts';
import { AT, debt, FAILED, Host, MemoryOrigin, manifestFile, never, sha256 } from '../host.fixture.ts';
import { hold, release } from './hold.ts';
import { rollBack } from './rollback.ts';

const IMAGES = { '1.0': 'image one', '1.1': 'image number two', '1.2': 'image number three' };
const HEX = (version: keyof typeof IMAGES): string => sha256(IMAGES[version]);
const skip = (version: string, reason: Mark['reason'] = 'health'): Mark => ({ version, reason, at: AT });

/** All three are stored, 1.2 is linked, and nothing is remembered. */
function place(
  t: TestContext,
  settings: readonly string[] = ['Restart=app.service'],
  linked: keyof typeof IMAGES = '1.2',
) {
  const host = new Host(scratch(t), settings, [new MemoryOrigin(IMAGES)]);
  host.provision(IMAGES, linked);
  return host;
}

/** Versions from and to. */
async function back(host: Host, version?: string, dryRun = false): Promise<string> {
  const { from, to } = await rollBack(host.config, version, dryRun, host.ports, never);
  return `${from.version.text} -> ${to.version.text}`;
}
const held = async (host: Host, version?: string, dryRun = false): Promise<string> =>
  (await hold(host.config, version, dryRun, host.ports, never)).version.text;
const released = async (host: Host, dryRun = false): Promise<string[]> =>
  (await release(host.config, dryRun, host.ports, never)).map((mark) => `${mark.reason} ${mark.version}`);

/** Nothing that the work does is a change. */
async function unchanged<T>(host: Host, work: () => Promise<T>): Promise<T> {
  const before = host.snapshot();
  try {
    return await work();
  } finally {
    assert.deepEqual(host.snapshot(), before);
    assert.deepEqual(host.units.jobs(), []);
  }
}

describe('rolling back', () => {
  it('goes to the previous image, restarts, and skips what was left', async (t) => {
    const host = place(t);
    host.remember({ previous: HEX('1.0') });
    const result = await rollBack(host.config, undefined, false, host.ports, never);
    assert.deepEqual(
      [result.from.version.text, result.to.version.text, result.restarted],
      ['1.2', '1.0', ['app.service']],
    );
    assert.deepEqual([host.latest(IMAGES), host.units.jobs()], ['1.0', ['restart app.service']]);
    const { skip: skipped, previous, owed, history } = host.state();
    assert.deepEqual(skipped, [{ version: '1.2', reason: 'rollback', at: AT }]);
    assert.deepEqual([previous, owed], [HEX('1.2'), null]);
    assert.deepEqual(history, [
      { at: AT, action: 'rollback', version: '1.0', sha256: HEX('1.0'), previousVersion: '1.2', result: 'done' },
    ]);
  });

  it('without memory, or with one of an image that is no earlier one, goes to the newest earlier one that is stored', async (t) => {
    const host = place(t);
    assert.equal(await back(host), '1.2 -> 1.1');
    const other = place(t, undefined, '1.1');
    other.remember({ previous: HEX('1.2') });
    assert.equal(await back(other), '1.1 -> 1.0');
    const lost = place(t);
    fs.rmSync(join(lost.path, 'store', HEX('1.1')));
    lost.remember({ previous: HEX('1.1') });
    assert.equal(await back(lost), '1.2 -> 1.0');
  });

  it('passes over versions that were skipped, and those outside of the pattern', async (t) => {
    const host = place(t);
    host.remember({ skip: [skip('1.1')], previous: HEX('1.1') });
    assert.equal(await back(host), '1.2 -> 1.0');
    assert.equal(await back(place(t, ['Version=1.1 <= v < 2'])), '1.2 -> 1.1');
    await assert.rejects(back(place(t, ['Version=1.2'])), { code: 'IMAGE_MISSING' });
  });

  it('knows a skipped version in any spelling', async (t) => {
    const host = place(t);
    host.remember({ skip: [skip('1.1.0')] });
    assert.equal(await back(host), '1.2 -> 1.0');
  });

  it('goes to the version that is named, in any spelling, and forgets that it was skipped', async (t) => {
    const host = place(t);
    host.remember({ skip: [skip('1.0'), skip('1.1')], previous: HEX('1.1') });
    assert.equal(await back(host, '1_0'), '1.2 -> 1.0');
    assert.deepEqual(
      host.state().skip.map((mark) => mark.version),
      ['1.1', '1.2'],
    );
  });

  it('is obeyed by the next fetch, until a newer version appears', async (t) => {
    const host = place(t);
    await back(host, '1.0');
    assert.deepEqual([(await host.fetch()).outcome, host.latest(IMAGES)], ['unchanged', '1.0']);
    const more = { ...IMAGES, '1.3': 'image four' };
    host.origins = [new MemoryOrigin(more)];
    assert.deepEqual([(await host.fetch()).outcome, host.latest(more)], ['updated', '1.3']);
  });

  it('takes a hold away, unless it is on the version that is gone back to', async (t) => {
    const host = place(t);
    host.remember({ hold: { version: '1.2', reason: 'hold', at: AT } });
    await back(host);
    assert.equal(host.state().hold, null);
    host.remember({ hold: { version: '1.0', reason: 'hold', at: AT } });
    await back(host, '1.0');
    assert.equal(host.state().hold?.version, '1.0');
  });

  it('may be done twice in a row, each time further back', async (t) => {
    const host = place(t);
    host.remember({ previous: HEX('1.1') });
    assert.equal(await back(host), '1.2 -> 1.1');
    assert.equal(await back(host), '1.1 -> 1.0');
    await assert.rejects(back(host), { code: 'IMAGE_MISSING' });
  });

  it('to what is linked, in any spelling, changes nothing and is no failure', async (t) => {
    const host = place(t);
    for (const version of ['1.2', '1.2.0']) {
      for (const dryRun of [true, false]) {
        const before = host.snapshot().filter((line) => !line.startsWith('.tako'));
        const result = await rollBack(host.config, version, dryRun, host.ports, never);
        assert.deepEqual([result.outcome, result.to.version.text, result.restarted], ['unchanged', '1.2', []]);
        assert.deepEqual(
          host.snapshot().filter((line) => !line.startsWith('.tako')),
          before,
        );
        assert.deepEqual([host.units.jobs(), host.state().skip], [[], []]);
      }
    }
  });

  it('that was killed is finished, and not done once more', async (t) => {
    for (const linked of ['1.1', '1.2'] as const) {
      for (const version of [undefined, '1.1']) {
        const host = place(t, undefined, linked);
        const owed = debt(IMAGES['1.1'], IMAGES['1.2'], { reason: 'rollback' });
        host.remember({ owed, skip: [skip('1.2', 'rollback')] });
        assert.equal(await back(host, version), '1.2 -> 1.1');
        assert.deepEqual(
          [host.latest(IMAGES), host.units.jobs(), host.state().owed],
          ['1.1', ['restart app.service'], null],
        );
        assert.deepEqual(
          host.state().skip.map((mark) => mark.version),
          ['1.2'],
        );
      }
    }
  });

  it('from an update that is not settled goes to what it replaced', async (t) => {
    const host = place(t);
    host.remember({ previous: HEX('1.1'), owed: debt(IMAGES['1.2'], IMAGES['1.0']) });
    assert.equal(await back(host), '1.2 -> 1.0');
    assert.deepEqual([host.units.jobs(), host.state().owed], [['restart app.service'], null]);
  });

  it('in a dry run says the same and changes nothing', async (t) => {
    const host = place(t);
    assert.equal(await unchanged(host, () => back(host, undefined, true)), '1.2 -> 1.1');
    assert.equal(await unchanged(host, () => back(host, '1.0', true)), '1.2 -> 1.0');
  });

  it('in a dry run after a run that was killed changes nothing either', async (t) => {
    const host = place(t);
    host.remember({
      owed: debt(IMAGES['1.1'], IMAGES['1.2'], { reason: 'rollback' }),
      skip: [skip('1.2', 'rollback')],
    });
    await unchanged(host, () => back(host, '1.0', true));
  });

  for (const [what, version, code, spoil] of [
    ['that is not published', '9.9', 'UNKNOWN_VERSION', () => undefined],
    ['that is newer', '1.2', 'UNKNOWN_VERSION', (host: Host) => host.link(IMAGES['1.1'])],
    [
      'outside of the pattern',
      '1.0',
      'UNKNOWN_VERSION',
      (host: Host) => {
        host.settings = ['Version=1.1 <= v < 2'];
      },
    ],
    [
      'that is not stored any more',
      '1.0',
      'IMAGE_MISSING',
      (host: Host) => fs.rmSync(join(host.path, 'store', HEX('1.0'))),
    ],
    ['whose image is damaged', '1.0', 'INVALID_DIGEST', (host: Host) => void host.store('image OnE', HEX('1.0'))],
    ['while nothing is linked', '1.0', 'IMAGE_MISSING', (host: Host) => fs.rmSync(join(host.path, 'latest'))],
    [
      'of a destination without a manifest',
      '1.0',
      'NO_MANIFEST',
      (host: Host) => fs.rmSync(join(host.path, 'manifest')),
    ],
  ] as const) {
    it(`to a version ${what} is refused, and nothing is changed`, async (t) => {
      const host = place(t);
      spoil(host);
      await unchanged(host, () => assert.rejects(back(host, version, true), { code }));
      await assert.rejects(back(host, version), { code });
      assert.deepEqual([host.units.jobs(), host.state().skip], [[], []]);
    });
  }

  it('without an earlier image is refused', async (t) => {
    await assert.rejects(back(place(t, undefined, '1.0')), { code: 'IMAGE_MISSING' });
  });

  it('is refused while another process restarts the units', async (t) => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    t.after(() => void child.kill('SIGKILL'));
    const host = place(t);
    const runner = processIdentity(child.pid ?? assert.fail());
    host.remember({ owed: debt(IMAGES['1.2'], IMAGES['1.1'], { runner }) });
    for (const work of [() => back(host), () => held(host), () => released(host), () => back(host, '1.0', true)]) {
      await assert.rejects(work, { code: 'BUSY' });
    }
    assert.deepEqual([host.latest(IMAGES), host.state().owed?.runner], ['1.2', runner]);
  });

  it('is refused while another run holds the lock', async (t) => {
    const host = place(t);
    const destination = openDestination(host.path, 'refuse');
    t.after(() => destination.close());
    const lock = await destination.lock({ timeoutMs: 0, onWait: () => undefined }, never);
    for (const work of [() => back(host), () => held(host), () => released(host)]) {
      await assert.rejects(work, { code: 'LOCK_TIMEOUT' });
    }
    lock.release();
  });

  it('is refused where others may write', async (t) => {
    const host = place(t);
    fs.chmodSync(join(host.path, 'store'), 0o777);
    for (const work of [() => back(host), () => held(host), () => released(host), () => back(host, '1.0', true)]) {
      await assert.rejects(work, { code: 'UNSAFE_OWNER' });
    }
  });

  it('to an image that does not run stays there: it was wanted', async (t) => {
    const host = place(t);
    host.units.looks = () => FAILED;
    await assert.rejects(back(host), { code: 'HEALTH_FAILED' });
    const { owed, history, skip: skipped } = host.state();
    assert.deepEqual([host.latest(IMAGES), host.units.jobs(), owed], ['1.1', ['restart app.service'], null]);
    assert.deepEqual([history.at(-1)?.result, skipped.map((mark) => mark.version)], ['health failed', ['1.2']]);
  });

  it('of which the restart fails leaves it owed', async (t) => {
    const host = place(t);
    host.units.onJob = () => {
      throw new CodedError('SYSTEMCTL_FAILED', 'no bus');
    };
    await assert.rejects(back(host), { code: 'RESTART_FAILED' });
    assert.deepEqual(
      [host.latest(IMAGES), host.state().owed?.reason, host.state().owed?.image],
      ['1.1', 'rollback', HEX('1.1')],
    );
    host.units.onJob = () => undefined;
    host.units.jobs();
    await host.fetch();
    assert.deepEqual(
      [host.units.jobs(), host.state().owed, host.latest(IMAGES)],
      [['restart app.service'], null, '1.1'],
    );
  });

  it('holds no lock while units restart, and the link is switched by then', async (t) => {
    const host = place(t);
    let seen: unknown;
    host.units.onJob = async () => {
      seen = [host.latest(IMAGES), (await host.fetch({ init: true })).outcome];
    };
    await back(host);
    assert.deepEqual(seen, ['1.1', 'present']);
  });

  it('from an image that the manifest does not list is refused', async (t) => {
    const host = place(t);
    host.store('stranger');
    host.link('stranger');
    await assert.rejects(back(host, '1.0'), { code: 'IMAGE_MISSING' });
  });
});

describe('holding a version', () => {
  it('keeps the host on the current one', async (t) => {
    const host = place(t, undefined, '1.1');
    assert.equal(await held(host), '1.1');
    assert.deepEqual(host.state().hold, { version: '1.1', reason: 'hold', at: AT });
    assert.deepEqual([(await host.fetch()).outcome, host.latest(IMAGES)], ['unchanged', '1.1']);
    assert.deepEqual(host.units.jobs(), []);
  });

  it('may be of another one, which the next fetch takes', async (t) => {
    const host = place(t);
    assert.equal(await held(host, '1.0.0'), '1.0');
    assert.equal(host.latest(IMAGES), '1.2');
    assert.deepEqual([(await host.fetch()).outcome, host.latest(IMAGES)], ['updated', '1.0']);
  });

  it('takes the place of an earlier hold, and leaves skips', async (t) => {
    const host = place(t);
    host.remember({ skip: [skip('1.1')] });
    await held(host, '1.0');
    await held(host, '1.2');
    assert.deepEqual([host.state().hold?.version, host.state().skip.length], ['1.2', 1]);
  });

  it('is refused of what is not published, is outside of the pattern, or is not linked', async (t) => {
    const host = place(t, ['Version=1.1 <= v < 2']);
    await assert.rejects(held(host, '9'), { code: 'UNKNOWN_VERSION' });
    await assert.rejects(held(host, '1.0'), { code: 'UNKNOWN_VERSION' });
    fs.rmSync(join(host.path, 'latest'));
    await assert.rejects(held(host), { code: 'IMAGE_MISSING' });
    fs.rmSync(join(host.path, 'manifest'));
    await assert.rejects(held(host, '1.1'), { code: 'NO_MANIFEST' });
    assert.equal(host.state().hold, null);
  });

  it('in a dry run changes nothing', async (t) => {
    const host = place(t);
    assert.equal(await unchanged(host, () => held(host, undefined, true)), '1.2');
  });

  it('in a dry run after a run that was killed changes nothing either', async (t) => {
    const host = place(t);
    host.remember({ owed: debt(IMAGES['1.1'], IMAGES['1.2'], { reason: 'health' }) });
    await unchanged(host, () => held(host, '1.2', true));
    await unchanged(host, () => released(host, true));
  });

  it('does not lose what a killed run owes', async (t) => {
    const host = place(t);
    const owed = debt(IMAGES['1.2'], IMAGES['1.1']);
    host.remember({ owed });
    await held(host);
    assert.deepEqual([host.state().owed, host.state().hold?.version], [owed, '1.2']);
  });
});

describe('releasing', () => {
  it('forgets the hold and every skip, and says which', async (t) => {
    const host = place(t, undefined, '1.0');
    host.remember({ hold: { version: '1.0', reason: 'hold', at: AT }, skip: [skip('1.1'), skip('1.2', 'rollback')] });
    assert.deepEqual(await released(host), ['hold 1.0', 'health 1.1', 'rollback 1.2']);
    assert.deepEqual([host.state().hold, host.state().skip], [null, []]);
    assert.deepEqual([(await host.fetch()).outcome, host.latest(IMAGES)], ['updated', '1.2']);
  });

  it('of nothing is no failure', async (t) => {
    assert.deepEqual(await released(place(t)), []);
  });

  it('in a dry run changes nothing', async (t) => {
    const host = place(t);
    host.remember({ skip: [skip('1.1')] });
    assert.deepEqual(await unchanged(host, () => released(host, true)), ['health 1.1']);
  });

  it('wants the manifest to be one of the configured key', async (t) => {
    const host = place(t);
    fs.rmSync(join(host.path, 'manifest'));
    fs.writeFileSync(join(host.path, 'manifest'), Buffer.from(manifestFile(IMAGES)).fill('A', 20, 24));
    await assert.rejects(released(host), { code: 'INVALID_SIGNATURE' });
  });
});
