import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { CodedError } from '../../base/error.ts';
import { EMPTY_STATE, type HistoryEntry, type Mark, type State } from '../destination/state.ts';
import { AT, debt, entryOf, Host, MemoryOrigin, never, sha256 } from '../host.fixture.ts';
import { digest } from '../manifest/manifest.fixture.ts';
import type { Origin } from '../update/origin.ts';
import { healthOf, listVersions, readStatus, type Status } from './status.ts';

const IMAGES = { '1.0': 'image one', '1.1': 'image number two', '2.0': 'image number three' };
const mark = (version: string, reason: Mark['reason']): Mark => ({ version, reason, at: AT });

function place(t: TestContext, settings: readonly string[] = ['Version=1.*']): Host {
  const host = new Host(scratch(t), settings);
  host.provision(IMAGES, '1.0', ['1.0']);
  return host;
}

interface Seen {
  readonly status: Status;
  readonly warnings: readonly string[];
}

/** Nothing is ever written. */
async function see(host: Host, origins?: readonly Origin[]): Promise<Seen> {
  const before = host.snapshot();
  const warnings: string[] = [];
  const refresh = origins === undefined ? {} : { refresh: { origins, gravity: () => 0 } };
  const status = await readStatus(host.config, { warn: (text) => warnings.push(text), ...refresh }, never);
  assert.deepEqual(host.snapshot(), before);
  return { status, warnings };
}
const text = (entry: Status['current']): string | undefined => entry?.version.text;

describe('the status of a destination', () => {
  it('says what is linked, what could be, and what the store holds', async (t) => {
    const { status, warnings } = await see(place(t));
    assert.deepEqual(
      [text(status.current), text(status.newestCompatible), text(status.newestPublished), text(status.pending)],
      ['1.0', '1.1', '2.0', '1.1'],
    );
    assert.deepEqual([status.staged, status.storedImages, status.storeBytes], [false, 1, 9]);
    assert.deepEqual([status.manifest?.entries.length, status.state, warnings], [3, EMPTY_STATE, []]);
  });

  it('says when the pending image is stored already', async (t) => {
    const host = place(t);
    host.store(IMAGES['1.1']);
    const { status } = await see(host);
    assert.deepEqual([status.staged, status.storedImages, status.storeBytes], [true, 2, 25]);
  });

  it('has nothing pending when the newest allowed one is linked', async (t) => {
    const { status } = await see(place(t, ['Version=1.0']));
    assert.deepEqual([status.pending, status.staged, text(status.newestCompatible)], [undefined, false, '1.0']);
  });

  it('has nothing pending that is held back or skipped, and names it all the same', async (t) => {
    for (const state of [{ hold: mark('1.0', 'hold') }, { skip: [mark('1.1', 'health')] }]) {
      const host = place(t);
      host.remember(state);
      const { status } = await see(host);
      assert.deepEqual([status.pending, text(status.newestCompatible)], [undefined, '1.1']);
    }
  });

  it('is empty before the first fetch', async (t) => {
    const { status } = await see(new Host(scratch(t)));
    assert.deepEqual(
      [status.current, status.newestCompatible, status.newestPublished, status.pending, status.manifest],
      [undefined, undefined, undefined, undefined, undefined],
    );
    assert.deepEqual([status.storedImages, status.storeBytes], [0, 0]);
  });

  it('counts neither partial downloads nor strangers', async (t) => {
    const host = place(t);
    host.store('x', `.${sha256('y')}.part`);
    host.store('x', 'README');
    assert.equal((await see(host)).status.storedImages, 1);
  });

  it('with a link to an image that the manifest does not list has no current one', async (t) => {
    const host = place(t);
    host.link('stranger');
    assert.equal((await see(host)).status.current, undefined);
  });

  it('warns about a directory that others may write, and goes on', async (t) => {
    const host = place(t);
    fs.chmodSync(host.path, 0o777);
    const { status, warnings } = await see(host);
    assert.deepEqual([text(status.current), warnings.length], ['1.0', 1]);
    assert.match(warnings[0] ?? '', /chmod/);
  });

  it('warns about a memory that cannot be read', async (t) => {
    const host = place(t);
    host.remember({});
    fs.writeFileSync(join(host.path, '.tako/state.json'), '{');
    const { status, warnings } = await see(host);
    assert.deepEqual([status.state, warnings.length], [EMPTY_STATE, 1]);
  });

  it('of a damaged manifest is an error', async (t) => {
    const host = place(t);
    fs.rmSync(join(host.path, 'manifest'));
    fs.writeFileSync(join(host.path, 'manifest'), 'x');
    await assert.rejects(see(host), { code: 'INVALID_MANIFEST' });
  });
});

describe('the status with a look at the origins', () => {
  it('goes by what they have now, and stores nothing of it', async (t) => {
    const { status } = await see(place(t), [new MemoryOrigin({ ...IMAGES, '1.2': 'four' })]);
    assert.deepEqual([text(status.pending), status.manifest?.entries.length], ['1.2', 4]);
  });

  it('goes by the stored manifest when nothing has changed', async (t) => {
    const host = place(t);
    const origin = new MemoryOrigin({});
    origin.etag = '"tag"';
    host.remember({ etag: '"tag"', origin: origin.shown });
    assert.equal(text((await see(host, [origin])).status.pending), '1.1');
  });

  it('works before the first fetch', async (t) => {
    const { status } = await see(new Host(scratch(t)), [new MemoryOrigin(IMAGES)]);
    assert.deepEqual([status.current, text(status.pending), status.staged], [undefined, '2.0', false]);
  });

  it('warns about an origin that another one stands in for, and refuses an older manifest', async (t) => {
    const bad = new MemoryOrigin({ '1.0': IMAGES['1.0'] }, 'bad');
    const { warnings } = await see(place(t), [bad, new MemoryOrigin(IMAGES)]);
    assert.equal(warnings.length, 1);
    await assert.rejects(see(place(t), [bad]), { code: 'OLDER_MANIFEST' });
    bad.manifestError = new CodedError('HTTP_UNREACHABLE', 'no');
    await assert.rejects(see(place(t), [bad]), { code: 'HTTP_UNREACHABLE' });
  });
});

describe('the list of versions', () => {
  const list = async (host: Host): Promise<string[]> => {
    const before = host.snapshot();
    const listed = await listVersions(host.config, () => undefined);
    assert.deepEqual(host.snapshot(), before);
    return listed.map(({ entry, ...is }) =>
      [entry.version.text, ...Object.entries(is).flatMap(([name, yes]) => (yes ? [name] : []))].join(' '),
    );
  };

  it('has all that are published, oldest first, and what is known of each', async (t) => {
    const host = place(t);
    host.store(IMAGES['2.0']);
    host.remember({ hold: mark('1.0', 'hold'), skip: [mark('1.1', 'health')] });
    assert.deepEqual(await list(host), ['1.0 matches stored current held', '1.1 matches skipped', '2.0 stored']);
  });

  it('is in the order of versions, whatever the order of the manifest', async (t) => {
    const host = new Host(scratch(t), ['Version=*']);
    host.provision({ '1.10': 'x', '1.9': 'y', '1.9-rc': 'z' }, '1.9', []);
    assert.deepEqual(await list(host), ['1.9-rc matches', '1.9 matches current', '1.10 matches']);
  });

  it('is empty before the first fetch', async (t) => assert.deepEqual(await list(new Host(scratch(t))), []));

  it('knows held and skipped versions in any spelling, as fetch does', async (t) => {
    const host = place(t);
    host.remember({ hold: mark('1', 'hold'), skip: [mark('1_1.0', 'health')] });
    assert.deepEqual(await list(host), ['1.0 matches stored current held', '1.1 matches skipped', '2.0']);
  });

  it('warns about a directory that others may write, and goes on', async (t) => {
    const host = place(t);
    fs.chmodSync(join(host.path, 'store'), 0o777);
    const warnings: string[] = [];
    assert.equal((await listVersions(host.config, (warning) => warnings.push(warning))).length, 3);
    assert.equal(warnings.length, 1);
  });
});

describe('what is known to be wrong', () => {
  const done = (result: HistoryEntry['result']): HistoryEntry => ({
    at: AT,
    action: 'update',
    version: '1.0',
    sha256: digest('a'),
    previousVersion: null,
    result,
  });
  const health = (state: Partial<State>, newest?: string): string | undefined =>
    healthOf({
      state: { ...EMPTY_STATE, ...state },
      newestCompatible: newest === undefined ? undefined : entryOf(newest, 'x'),
    });

  it('is nothing when the last change went well, or there was none', () => {
    assert.equal(health({}), undefined);
    assert.equal(health({ history: [done('health failed'), done('done')] }, '1.0'), undefined);
  });

  it('is a restart that is owed', () => {
    assert.equal(typeof health({ owed: debt('x', undefined), history: [done('done')] }), 'string');
  });

  it('is the end of the last change', () => {
    for (const result of ['health failed', 'restart failed', 'pending'] as const) {
      assert.equal(health({ history: [done('done'), done(result)] }), result);
    }
  });

  it('is that the newest allowed version did not stay healthy, although the way back went well', () => {
    const state = { skip: [mark('1.1', 'health')], history: [done('health failed'), done('done')] };
    assert.match(health(state, '1.1') ?? '', /^1\.1 /);
    assert.equal(health(state, '1.2'), undefined);
    assert.equal(health({ ...state, skip: [mark('1.1', 'rollback')] }, '1.1'), undefined);
  });

  it('is so in any spelling of that version', () => {
    assert.equal(typeof health({ skip: [mark('1.1', 'health')] }, '1.1.0'), 'string');
  });
});
