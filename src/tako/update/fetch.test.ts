import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import { processIdentity } from '../../linux/processes/process-identity.ts';
import { openDestination } from '../destination/destination.ts';
import { AT, debt, Host, type Images, MemoryOrigin, manifestFile, NOW, never, sha256 } from '../host.fixture.ts';
import { generateSecretKey } from '../manifest/key.ts';

const V1 = { '1.0': 'image one' };
const V2 = { ...V1, '1.1': 'image number two' };
const V3 = { ...V2, '1.2': 'image number three' };
const gone = new CodedError('HTTP_GONE', 'withdrawn');

/** A host with `app.service`, and one origin that publishes these images. */
function place(t: TestContext, images: Images, settings: readonly string[] = ['Restart=app.service']) {
  const origin = new MemoryOrigin(images);
  const host = new Host(scratch(t), settings, [origin]);
  return { host, origin };
}

/** The same after a first fetch of the first version. */
function installed(t: TestContext, images: Images, settings?: readonly string[]) {
  const { host, origin } = place(t, images, settings);
  host.provision(V1, '1.0');
  return { host, origin };
}

describe('a first fetch', () => {
  it('brings manifest, image and link, and restarts the units', async (t) => {
    const { host, origin } = place(t, V2);
    const result = await host.fetch();
    assert.deepEqual(
      [result.outcome, result.entry?.version.text, result.previous, result.bytes],
      ['updated', '1.1', undefined, V2['1.1'].length],
    );
    assert.deepEqual(
      [result.restarted, result.reloaded, host.units.jobs()],
      [['app.service'], [], ['restart app.service']],
    );
    assert.equal(host.latest(V2), '1.1');
    assert.equal(fs.readlinkSync(join(host.path, 'latest')), `store/${sha256(V2['1.1'])}`);
    assert.deepEqual(host.stored(), [sha256(V2['1.1'])]);
    assert.deepEqual(fs.readFileSync(join(host.path, 'manifest')), Buffer.from(origin.manifest));
    for (const name of ['manifest', `store/${sha256(V2['1.1'])}`]) {
      assert.equal(fs.statSync(join(host.path, name)).mode & 0o7777, 0o444);
    }
    assert.deepEqual(origin.requests(), ['manifest', '1.1@0']);
  });

  it('is remembered: an installation, done, and nothing before it', async (t) => {
    const { host, origin } = place(t, V1);
    origin.etag = '"tag"';
    await host.fetch();
    const { history, ...rest } = host.state();
    assert.deepEqual(history, [
      { at: AT, action: 'install', version: '1.0', sha256: sha256(V1['1.0']), previousVersion: null, result: 'done' },
    ]);
    assert.deepEqual(rest, {
      etag: '"tag"',
      origin: origin.shown,
      checkedAt: AT,
      changedAt: AT,
      succeededAt: AT,
      uncheckedLast: [],
      previous: null,
      owed: null,
      hold: null,
      skip: [],
      withdrawn: [],
    });
  });

  it('of nothing that matches is no failure: the manifest is kept, no store is made and nothing is linked', async (t) => {
    const { host, origin } = place(t, V2, ['Version=2.*', 'Restart=app.service']);
    const result = await host.fetch();
    assert.deepEqual([result.outcome, result.entry, result.newest], ['no-candidate', undefined, undefined]);
    assert.deepEqual(
      result.published.map((entry) => entry.version.text),
      ['1.0', '1.1'],
    );
    assert.deepEqual([host.stored(), host.latest(), host.units.jobs()], [undefined, undefined, []]);
    assert.ok(fs.existsSync(join(host.path, 'manifest')));
    assert.deepEqual([origin.requests(), host.state().succeededAt], [['manifest'], AT]);
  });

  it('takes the empty image like any other', async (t) => {
    const { host } = place(t, { '1.0': '' });
    assert.deepEqual([(await host.fetch()).outcome, host.latest({ '1.0': '' })], ['updated', '1.0']);
  });

  it('into a directory that does not exist fails and makes none', async (t) => {
    const { host } = place(t, V1);
    fs.rmdirSync(host.path);
    await assert.rejects(host.fetch(), { code: 'NO_DIRECTORY' });
    assert.ok(!fs.existsSync(host.path));
  });

  it('into a directory that everybody may write is refused before anything is asked', async (t) => {
    const { host, origin } = place(t, V1);
    fs.chmodSync(host.path, 0o777);
    await assert.rejects(host.fetch(), { code: 'UNSAFE_OWNER' });
    assert.deepEqual([origin.requests(), host.snapshot()], [[], []]);
  });
});

describe('an update', () => {
  it('links the newer image, restarts, and remembers the way back', async (t) => {
    const { host } = installed(t, V2);
    const result = await host.fetch();
    assert.deepEqual(
      [result.outcome, result.entry?.version.text, result.previous?.version.text, result.restarted],
      ['updated', '1.1', '1.0', ['app.service']],
    );
    assert.equal(host.latest(V2), '1.1');
    assert.ok(host.holds(V1['1.0']));
    const { previous, owed, history } = host.state();
    assert.deepEqual([previous, owed], [sha256(V1['1.0']), null]);
    assert.deepEqual(
      history.map(({ action, version, previousVersion, result: how }) => [action, version, previousVersion, how]),
      [['update', '1.1', '1.0', 'done']],
    );
  });

  it('restarts first and reloads then, each unit once', async (t) => {
    const { host } = installed(t, V2, ['ReloadUnit=web.service', 'Restart=b.service a.service', 'Restart=b']);
    const result = await host.fetch();
    assert.deepEqual(host.units.jobs(), ['restart b.service a.service', 'reload web.service']);
    assert.deepEqual([result.restarted, result.reloaded], [['b.service', 'a.service'], ['web.service']]);
  });

  it('without units calls nothing', async (t) => {
    const { host } = installed(t, V2, []);
    assert.deepEqual([(await host.fetch()).outcome, host.units.jobs(), host.state().owed], ['updated', [], null]);
  });

  it('has written link and debt before a unit is touched, and holds no lock meanwhile', async (t) => {
    const { host } = installed(t, V2);
    const seen: unknown[] = [];
    host.units.onJob = async () => {
      const { owed, history } = host.state();
      seen.push(host.latest(V2), owed?.image, owed?.previous, owed?.restart, owed?.reason, owed?.runner?.pid);
      seen.push(history.at(-1)?.result);
      const destination = openDestination(host.path, 'refuse');
      (await destination.lock({ timeoutMs: 0, onWait: () => undefined }, never)).release();
      destination.close();
    };
    await host.fetch();
    const digests = [sha256(V2['1.1']), sha256(V1['1.0'])];
    assert.deepEqual(seen, ['1.1', ...digests, ['app.service'], 'update', process.pid, 'pending']);
  });

  it('may be followed from within: a unit that runs "fetch --init" in its own start finds the image', async (t) => {
    const { host } = installed(t, V2);
    const inner: string[] = [];
    host.units.onJob = async () => {
      inner.push((await host.fetch({ init: true })).outcome);
    };
    assert.equal((await host.fetch()).outcome, 'updated');
    assert.deepEqual(inner, ['present']);
  });

  it('to an image that is stored already asks for nothing but the manifest', async (t) => {
    const { host, origin } = installed(t, V2);
    host.store(V2['1.1']);
    assert.equal((await host.fetch()).bytes, 0);
    assert.deepEqual([origin.requests(), host.latest(V2)], [['manifest'], '1.1']);
  });

  it('may lead to an older version when the pattern was moved', async (t) => {
    const { host } = place(t, V2, ['Version=1.0', 'Restart=app.service']);
    host.provision(V2, '1.1');
    const result = await host.fetch();
    assert.deepEqual(
      [result.outcome, result.previous?.version.text, host.latest(V2), host.units.jobs()],
      ['updated', '1.1', '1.0', ['restart app.service']],
    );
  });

  it('carries on a partial download', async (t) => {
    const { host, origin } = installed(t, V2);
    host.store('image num', `.${sha256(V2['1.1'])}.part`, 0o600);
    assert.equal((await host.fetch()).bytes, V2['1.1'].length - 9);
    assert.deepEqual(origin.requests(), ['manifest', '1.1@9']);
  });

  it('collects what the limits do not keep, after the units run', async (t) => {
    const { host } = place(t, V3, ['KeepVersions=2', 'Restart=app.service']);
    host.provision(V2, '1.1');
    host.units.onJob = () => assert.ok(host.holds(V3['1.0']));
    const result = await host.fetch();
    assert.deepEqual(result.removed, [sha256(V3['1.0'])]);
    assert.deepEqual(host.stored(), [sha256(V3['1.1']), sha256(V3['1.2'])].sort());
  });

  it('replaces a link that names nothing of ours, or dangles', async (t) => {
    for (const text of ['/etc/passwd', 'store/nothing', `store/${sha256('gone')}`]) {
      const { host } = place(t, V1);
      fs.symlinkSync(text, join(host.path, 'latest'));
      await host.fetch();
      assert.equal(host.latest(V1), '1.0', text);
    }
  });

  it('stops at a "latest" that is no link, and leaves it', async (t) => {
    const { host } = place(t, V1);
    fs.writeFileSync(join(host.path, 'latest'), 'mine');
    await assert.rejects(host.fetch(), { code: 'LATEST_NOT_A_LINK' });
    assert.equal(fs.readFileSync(join(host.path, 'latest'), 'utf8'), 'mine');
  });

  it('waits for nobody for longer than it is told: another run has the lock', async (t) => {
    const { host, origin } = installed(t, V2);
    const destination = openDestination(host.path, 'refuse');
    const lock = await destination.lock({ timeoutMs: 0, onWait: () => undefined }, never);
    await assert.rejects(host.fetch(), { code: 'LOCK_TIMEOUT' });
    lock.release();
    destination.close();
    assert.deepEqual([origin.requests(), host.latest(V2)], [[], '1.0']);
    assert.equal((await host.fetch()).outcome, 'updated');
  });
});

describe('a fetch with nothing new', () => {
  it('restarts nothing and rewrites neither manifest nor image nor link', async (t) => {
    const { host, origin } = place(t, V1);
    await host.fetch();
    host.units.jobs();
    const before = host.snapshot();
    const result = await host.fetch();
    assert.deepEqual([result.outcome, result.entry?.version.text, result.bytes], ['unchanged', '1.0', 0]);
    assert.deepEqual([result.previous, result.restarted, host.units.jobs()], [undefined, [], []]);
    assert.deepEqual(host.snapshot(), before);
    assert.deepEqual(origin.requests(), ['manifest', '1.0@0', 'manifest']);
  });

  it('remembers when it asked and that all was well, but not a change', async (t) => {
    const { host } = place(t, V1);
    await host.fetch();
    host.now = NOW + 3_600_000;
    await host.fetch();
    const { checkedAt, changedAt, succeededAt, history } = host.state();
    assert.deepEqual([checkedAt, succeededAt], ['2024-03-01T13:00:00Z', '2024-03-01T13:00:00Z']);
    assert.deepEqual([changedAt, history.length], [AT, 1]);
  });

  it('asks with the tag it was given', async (t) => {
    const { host, origin } = place(t, V1);
    origin.etag = '"tag"';
    await host.fetch();
    origin.manifest = Buffer.from('would be refused');
    assert.equal((await host.fetch()).outcome, 'unchanged');
    assert.equal(host.state().etag, '"tag"');
  });

  it('replaces a damaged image in place: no restart, and the link stays', async (t) => {
    const { host, origin } = installed(t, V1);
    host.store('image OnE', sha256(V1['1.0']));
    const result = await host.fetch();
    assert.deepEqual([result.outcome, result.bytes, host.units.jobs()], ['unchanged', V1['1.0'].length, []]);
    assert.ok(host.holds(V1['1.0']));
    assert.deepEqual([host.latest(V1), origin.requests()], ['1.0', ['manifest', '1.0@0']]);
    assert.equal(host.texts('warning').length, 1);
  });

  it('fetches an image again that the link names and the store lacks', async (t) => {
    const { host } = installed(t, V1);
    fs.rmSync(join(host.path, 'store', sha256(V1['1.0'])));
    assert.deepEqual([(await host.fetch()).outcome, host.holds(V1['1.0'])], ['unchanged', true]);
  });

  it('leaves no damaged image behind when it cannot be fetched again', async (t) => {
    const { host, origin } = installed(t, V1);
    host.store('image OnE', sha256(V1['1.0']));
    origin.troubles.set('1.0', { error: new CodedError('HTTP_UNREACHABLE', 'no') });
    await assert.rejects(host.fetch(), { code: 'HTTP_UNREACHABLE' });
    assert.deepEqual(host.stored(), []);
  });

  it('still collects, when a limit was lowered', async (t) => {
    const { host } = place(t, V3, ['KeepVersions=2']);
    host.provision(V3, '1.2');
    assert.deepEqual((await host.fetch()).removed, [sha256(V3['1.0'])]);
  });

  it('warns when the manifest has not changed for as long as the configuration says', async (t) => {
    const { host } = place(t, V1, ['WarnUnchanged=1d']);
    await host.fetch();
    host.now = NOW + 86_400_000;
    await host.fetch();
    assert.deepEqual(host.texts('warning'), []);
    host.now += 1000;
    await host.fetch();
    assert.equal(host.texts('warning').length, 1);
    assert.match(host.texts('warning')[0] ?? '', /1 d/);
  });

  it('without memory takes the age of the manifest from the file', async (t) => {
    const { host } = installed(t, V1, ['WarnUnchanged=1d']);
    fs.utimesSync(join(host.path, 'manifest'), NOW / 1000 - 2 * 86_400, NOW / 1000 - 2 * 86_400);
    await host.fetch();
    assert.equal(host.texts('warning').length, 1);
    assert.equal(host.state().changedAt, '2024-02-28T12:00:00Z');
  });
});

describe('what is refused', () => {
  for (const [what, published, by, code] of [
    ['an older manifest', V1, undefined, 'OLDER_MANIFEST'],
    ['a manifest that contradicts the stored one', { ...V2, '1.0': 'another' }, undefined, 'NOT_A_SUPERSET'],
    ['a manifest of another key', V3, generateSecretKey(), 'INVALID_SIGNATURE'],
  ] as const) {
    it(`${what} leaves manifest, link and store as they are, and no image is asked for`, async (t) => {
      const { host, origin } = place(t, V1);
      host.provision(V2, '1.1');
      origin.publish(published, by);
      await assert.rejects(host.fetch(), { code });
      assert.deepEqual(origin.requests(), ['manifest']);
      assert.deepEqual(fs.readFileSync(join(host.path, 'manifest')), Buffer.from(manifestFile(V2)));
      assert.deepEqual([host.latest(V2), host.stored()?.length, host.units.jobs()], ['1.1', 2, []]);
      assert.equal(host.state().succeededAt, null);
    });
  }

  it('an image with another digest keeps the new manifest, and what was found out about it', async (t) => {
    const { host, origin } = installed(t, V2);
    origin.etag = '"new"';
    origin.troubles.set('1.1', { content: 'IMAGE number two' });
    await assert.rejects(host.fetch(), { code: 'INVALID_DIGEST' });
    assert.deepEqual(fs.readFileSync(join(host.path, 'manifest')), Buffer.from(origin.manifest));
    const { etag, checkedAt, succeededAt, history, owed } = host.state();
    assert.deepEqual([etag, checkedAt, succeededAt, history, owed], ['"new"', AT, null, [], null]);
    assert.deepEqual([host.latest(V2), host.stored(), host.units.jobs()], ['1.0', [sha256(V1['1.0'])], []]);
  });

  it('a stored manifest of another key stops the run before anybody is asked', async (t) => {
    const { host, origin } = place(t, V1);
    fs.writeFileSync(join(host.path, 'manifest'), manifestFile(V1, generateSecretKey()));
    await assert.rejects(host.fetch(), { code: 'INVALID_SIGNATURE' });
    fs.writeFileSync(join(host.path, 'manifest'), 'damaged');
    await assert.rejects(host.fetch(), { code: 'INVALID_MANIFEST' });
    assert.deepEqual(origin.requests(), []);
  });

  it('an empty stored manifest is no obstacle while no image needs it', async (t) => {
    const { host } = place(t, V1);
    fs.writeFileSync(join(host.path, 'manifest'), '');
    assert.equal((await host.fetch()).outcome, 'updated');
    assert.equal(host.texts('warning').length, 1);
  });
});

describe('a withdrawn image', () => {
  it('is passed over for the next older version', async (t) => {
    const { host, origin } = place(t, V3);
    origin.troubles.set('1.2', { error: gone });
    const result = await host.fetch();
    assert.deepEqual(
      [result.outcome, result.entry?.version.text, result.newest?.version.text],
      ['updated', '1.1', '1.2'],
    );
    assert.deepEqual(origin.requests(), ['manifest', '1.2@0', '1.1@0']);
    assert.deepEqual([host.latest(V3), host.texts('warning').length], ['1.1', 1]);
  });

  it('never leads below what is linked', async (t) => {
    const { host, origin } = place(t, V3);
    host.provision(V2, '1.1');
    origin.troubles.set('1.2', { error: gone });
    const result = await host.fetch();
    assert.deepEqual([result.outcome, result.entry?.version.text, host.latest(V3)], ['unchanged', '1.1', '1.1']);
    assert.deepEqual([origin.requests(), host.units.jobs()], [['manifest', '1.2@0'], []]);
  });

  it('of which there is no other is as if nothing matched, and a failure with --init', async (t) => {
    const { host, origin } = place(t, V2);
    for (const version of ['1.0', '1.1']) origin.troubles.set(version, { error: gone });
    assert.deepEqual([(await host.fetch()).outcome, host.latest()], ['no-candidate', undefined]);
    await assert.rejects(host.fetch({ init: true }), { code: 'NO_CANDIDATE' });
  });

  it('that is stored already is of no concern', async (t) => {
    const { host, origin } = installed(t, V2);
    host.store(V2['1.1']);
    origin.troubles.set('1.1', { error: gone });
    assert.deepEqual([(await host.fetch()).outcome, host.latest(V2)], ['updated', '1.1']);
  });

  it('is told from one that is merely missing, for which nothing stands in', async (t) => {
    const { host, origin } = place(t, V2);
    origin.troubles.set('1.1', { error: new CodedError('HTTP_NOT_FOUND', '404') });
    await assert.rejects(host.fetch(), { code: 'HTTP_NOT_FOUND' });
    assert.deepEqual([origin.requests(), host.latest()], [['manifest', '1.1@0'], undefined]);
  });
});

describe('fetch --init', () => {
  it('with a good image asks nobody and writes nothing, whatever the server has', async (t) => {
    const { host, origin } = installed(t, V2);
    const before = host.snapshot();
    const result = await host.fetch({ init: true });
    assert.deepEqual([result.outcome, result.entry?.version.text], ['present', '1.0']);
    assert.deepEqual([origin.requests(), host.snapshot()], [[], before]);
  });

  it('needs no lock for that', async (t) => {
    const { host } = place(t, V1);
    await host.fetch();
    const destination = openDestination(host.path, 'refuse');
    const lock = await destination.lock({ timeoutMs: 0, onWait: () => undefined }, never);
    t.after(() => destination.close());
    assert.equal((await host.fetch({ init: true })).outcome, 'present');
    lock.release();
  });

  it('brings an image where none is, and restarts nothing', async (t) => {
    const { host } = place(t, V2);
    const result = await host.fetch({ init: true });
    assert.deepEqual([result.outcome, result.entry?.version.text, result.restarted], ['updated', '1.1', []]);
    const { owed, history } = host.state();
    assert.deepEqual([host.latest(V2), host.units.jobs(), owed], ['1.1', [], null]);
    assert.deepEqual([history.length, history[0]?.action, history[0]?.result], [1, 'install', 'done']);
  });

  it('leaves nothing owed by it to the next run', async (t) => {
    const { host } = place(t, V2);
    await host.fetch({ init: true });
    assert.deepEqual([(await host.fetch()).outcome, host.units.jobs()], ['unchanged', []]);
  });

  it('fails when nothing matches, and the time of success is not touched', async (t) => {
    const { host } = place(t, V1, ['Version=2']);
    await assert.rejects(host.fetch({ init: true }), { code: 'NO_CANDIDATE' });
    assert.deepEqual([host.state().succeededAt, host.state().checkedAt], [null, AT]);
  });

  it('goes to the network when the image is damaged, or outside of the pattern', async (t) => {
    const { host, origin } = installed(t, V2);
    host.store('image OnE', sha256(V1['1.0']));
    assert.deepEqual([(await host.fetch({ init: true })).outcome, host.latest(V2)], ['updated', '1.1']);
    host.settings = ['Version=1.0'];
    origin.requests();
    assert.deepEqual([(await host.fetch({ init: true })).outcome, host.latest(V2)], ['updated', '1.0']);
    assert.deepEqual(origin.requests(), ['manifest', '1.0@0']);
  });

  it('does not wait for a window', async (t) => {
    const { host } = place(t, V1, ['MaintenanceWindow=Sun *-*-* 02:*']);
    assert.deepEqual([(await host.fetch({ init: true })).outcome, host.latest(V1)], ['updated', '1.0']);
  });
});

describe('an image that is staged', () => {
  it('is fetched, and neither linked nor restarted', async (t) => {
    const { host } = installed(t, V2);
    const result = await host.fetch({ mode: 'stage' });
    assert.deepEqual(
      [result.outcome, result.bytes, result.previous?.version.text],
      ['staged', V2['1.1'].length, '1.0'],
    );
    assert.deepEqual([host.latest(V2), host.units.jobs(), host.state().owed], ['1.0', [], null]);
    assert.ok(host.holds(V2['1.1']));
  });

  it('is linked by apply, which asks nobody', async (t) => {
    const { host, origin } = installed(t, V2);
    await host.fetch({ mode: 'stage' });
    origin.requests();
    const result = await host.fetch({ mode: 'apply' });
    assert.deepEqual([result.outcome, result.bytes, host.latest(V2)], ['updated', 0, '1.1']);
    assert.deepEqual([origin.requests(), host.units.jobs()], [[], ['restart app.service']]);
  });

  it('is verified again by apply: a damaged one is passed over', async (t) => {
    const { host } = installed(t, V2);
    await host.fetch({ mode: 'stage' });
    host.store('IMAGE number two', sha256(V2['1.1']));
    assert.deepEqual([(await host.fetch({ mode: 'apply' })).outcome, host.latest(V2)], ['unchanged', '1.0']);
    assert.equal(host.texts('warning').length, 1);
  });

  it('stays staged outside of the window, and is linked by the run that falls into it', async (t) => {
    const { host, origin } = installed(t, V2, ['MaintenanceWindow=*-*-* 14:*', 'Restart=app.service']);
    process.env['TZ'] = 'UTC';
    assert.equal((await host.fetch()).outcome, 'staged');
    assert.deepEqual([host.latest(V2), host.holds(V2['1.1']), host.units.jobs()], ['1.0', true, []]);
    host.now = NOW + 2 * 3_600_000;
    origin.requests();
    const result = await host.fetch();
    assert.deepEqual([result.outcome, result.bytes, host.latest(V2)], ['updated', 0, '1.1']);
    assert.deepEqual([origin.requests(), host.units.jobs()], [['manifest'], ['restart app.service']]);
  });

  it('is linked outside of the window by apply, which was asked for', async (t) => {
    const { host } = installed(t, V2, ['MaintenanceWindow=*-*-* 14:* UTC']);
    await host.fetch();
    assert.equal((await host.fetch({ mode: 'apply' })).outcome, 'updated');
  });

  it('is not collected before it is linked', async (t) => {
    const { host } = place(t, V3, ['KeepBytes=1', 'MaintenanceWindow=*-*-* 14:* UTC']);
    host.provision(V2, '1.1');
    assert.equal((await host.fetch()).outcome, 'staged');
    assert.ok(host.holds(V3['1.2']) && host.holds(V3['1.1']));
  });

  it('cannot be applied before anything was fetched', async (t) => {
    const { host } = place(t, V1);
    await assert.rejects(host.fetch({ mode: 'apply' }), { code: 'NO_MANIFEST' });
  });
});

describe('fetch --no-verify', () => {
  it('does not hash a stored image, and says so in the memory until the next full run', async (t) => {
    const { host, origin } = installed(t, V1);
    host.store('image OnE', sha256(V1['1.0']));
    assert.deepEqual(
      [(await host.fetch({ verifyStored: false })).outcome, origin.requests()],
      ['unchanged', ['manifest']],
    );
    assert.equal(host.state().uncheckedLast.length, 1);
    assert.equal((await host.fetch()).bytes, V1['1.0'].length);
    assert.deepEqual(host.state().uncheckedLast, []);
  });

  it('still looks at the size', async (t) => {
    const { host } = installed(t, V1);
    host.store('short', sha256(V1['1.0']));
    assert.deepEqual([(await host.fetch({ verifyStored: false })).bytes, host.holds(V1['1.0'])], [9, true]);
  });

  it('never trusts a download', async (t) => {
    const { host, origin } = installed(t, V2);
    origin.troubles.set('1.1', { content: 'IMAGE number two' });
    await assert.rejects(host.fetch({ verifyStored: false }), { code: 'INVALID_DIGEST' });
  });
});

describe('a destination whose units another process is restarting', () => {
  /** A process of ours that lives until the test is over. */
  function living(t: TestContext) {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    t.after(() => void child.kill('SIGKILL'));
    return processIdentity(child.pid ?? assert.fail('sleep was not started'));
  }

  it('is left alone, and that is said', async (t) => {
    const { host, origin } = place(t, V3);
    host.provision(V2, '1.1');
    const runner = living(t);
    host.remember({ owed: debt(V2['1.1'], V1['1.0'], { runner }) });
    const before = fs.readFileSync(join(host.path, '.tako/state.json'));
    const result = await host.fetch();
    assert.deepEqual([result.outcome, result.entry, host.units.jobs(), origin.requests()], ['busy', undefined, [], []]);
    assert.deepEqual(fs.readFileSync(join(host.path, '.tako/state.json')), before);
    assert.ok(host.texts('note')[0]?.includes(String(runner.pid)));
  });

  it('is not left alone for a process that merely has the number of the one that was at it', async (t) => {
    const runner = living(t);
    for (const other of [
      { ...runner, startTime: runner.startTime - 1 },
      { ...runner, bootId: 'another-boot', startedAt: runner.startedAt - 3600 },
    ]) {
      const { host } = place(t, V2);
      host.provision(V2, '1.1');
      host.remember({ owed: debt(V2['1.1'], V1['1.0'], { runner: other }) });
      assert.deepEqual([(await host.fetch()).outcome, host.units.jobs()], ['unchanged', ['restart app.service']]);
    }
  });

  it('may be in the start of a unit that wants its image: --init goes on', async (t) => {
    const { host } = place(t, V2);
    host.provision(V2, '1.1');
    fs.rmSync(join(host.path, 'store', sha256(V2['1.1'])));
    const owed = debt(V2['1.1'], V1['1.0'], { runner: living(t) });
    host.remember({ owed });
    const result = await host.fetch({ init: true });
    assert.deepEqual([result.outcome, host.holds(V2['1.1']), host.units.jobs()], ['unchanged', true, []]);
    assert.deepEqual(host.state().owed, owed);
  });
});

describe('a run that the signal stops', () => {
  it('during the download keeps what arrived, and the next run finishes', async (t) => {
    const { host, origin } = installed(t, V2);
    const controller = new AbortController();
    const reason = new Error('enough');
    let chunks = 0;
    origin.onChunk = () => {
      if (++chunks === 3) controller.abort(reason);
    };
    await assert.rejects(host.fetch({}, controller.signal), reason);
    assert.deepEqual([host.latest(V2), host.state().owed], ['1.0', null]);
    origin.onChunk = () => undefined;
    origin.requests();
    assert.deepEqual([(await host.fetch()).bytes, host.latest(V2)], [V2['1.1'].length - 8, '1.1']);
  });

  it('during the restart leaves the debt, and the next run pays it', async (t) => {
    const { host } = installed(t, V2);
    const controller = new AbortController();
    const reason = new Error('enough');
    host.units.onJob = () => {
      controller.abort(reason);
      throw reason;
    };
    await assert.rejects(host.fetch({}, controller.signal), reason);
    assert.deepEqual([host.latest(V2), host.state().owed?.image], ['1.1', sha256(V2['1.1'])]);
    host.units.onJob = () => undefined;
    host.units.jobs();
    assert.equal((await host.fetch()).outcome, 'unchanged');
    assert.deepEqual([host.units.jobs(), host.state().owed], [['restart app.service'], null]);
    assert.equal(host.state().history.at(-1)?.result, 'done');
  });
});
