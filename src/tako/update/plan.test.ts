import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { debt, Host, type Images, MemoryOrigin, manifestFile, sha256 } from '../host.fixture.ts';
import { generateSecretKey } from '../manifest/key.ts';
import type { Result } from './advance.ts';
import type { FetchOptions } from './fetch.ts';

const V1 = { '1.0': 'image one' };
const V2 = { ...V1, '1.1': 'image number two' };

function place(t: TestContext, images: Images = V2, settings: readonly string[] = ['Restart=app.service']) {
  const origin = new MemoryOrigin(images);
  return { host: new Host(scratch(t), settings, [origin]), origin };
}

/** Plan, and see that nothing was changed, no unit touched and no image asked for. */
async function plan(host: Host, options: Partial<FetchOptions> = {}): Promise<Result> {
  const before = host.snapshot();
  const result = await host.fetch({ ...options, dryRun: true });
  assert.deepEqual(host.snapshot(), before);
  assert.deepEqual(host.units.jobs(), []);
  const asked = host.origins.flatMap((origin) => (origin instanceof MemoryOrigin ? origin.requests() : []));
  assert.ok(asked.every((request) => request === 'manifest'));
  return result;
}

const gist = ({ outcome, entry, previous, bytes, restarted }: Result) =>
  [outcome, entry?.version.text, previous?.version.text, bytes, restarted.join(' ')] as const;

describe('the plan of a run', () => {
  it('says what would be fetched, linked and restarted, on an empty destination too', async (t) => {
    const { host } = place(t);
    assert.deepEqual(gist(await plan(host)), ['would-update', '1.1', undefined, 16, 'app.service']);
    host.provision(V1, '1.0');
    assert.deepEqual(gist(await plan(host)), ['would-update', '1.1', '1.0', 16, 'app.service']);
  });

  it('names units to reload', async (t) => {
    const { host } = place(t, V2, ['ReloadUnit=web.service']);
    assert.deepEqual((await plan(host)).reloaded, ['web.service']);
  });

  it('counts only bytes that are not there: none of a stored image, the rest of a partial one', async (t) => {
    const { host } = place(t);
    host.provision(V1, '1.0');
    host.store('image', `.${sha256(V2['1.1'])}.part`);
    assert.equal((await plan(host)).bytes, 11);
    host.store(V2['1.1']);
    assert.equal((await plan(host)).bytes, 0);
  });

  it('of nothing to do says so', async (t) => {
    const { host } = place(t, V1);
    host.provision(V1, '1.0');
    assert.deepEqual(gist(await plan(host)), ['unchanged', '1.0', undefined, 0, '']);
  });

  it('would fetch a damaged image again, without a restart', async (t) => {
    const { host } = place(t, V1);
    host.provision(V1, '1.0');
    host.store('image OnE', sha256(V1['1.0']));
    assert.deepEqual(gist(await plan(host)), ['would-update', '1.0', undefined, 9, '']);
    assert.equal((await plan(host, { verifyStored: false })).outcome, 'unchanged');
  });

  it('of nothing that matches says so, with and without --init', async (t) => {
    const { host } = place(t, V2, ['Version=2.*']);
    assert.deepEqual(gist(await plan(host)), ['no-candidate', undefined, undefined, 0, '']);
  });

  it('outside of the window, or of a run that stages, would only stage', async (t) => {
    const { host } = place(t, V2, ['Restart=app.service', 'MaintenanceWindow=*-*-* 14:* UTC']);
    host.provision(V1, '1.0');
    assert.deepEqual(gist(await plan(host)), ['would-stage', '1.1', '1.0', 16, '']);
    host.now += 2 * 3_600_000;
    assert.deepEqual(gist(await plan(host)), ['would-update', '1.1', '1.0', 16, 'app.service']);
    assert.deepEqual(gist(await plan(host, { mode: 'stage' })), ['would-stage', '1.1', '1.0', 16, '']);
  });

  it('of --init restarts nothing', async (t) => {
    const { host } = place(t);
    assert.deepEqual(gist(await plan(host, { init: true })), ['would-update', '1.1', undefined, 16, '']);
    host.provision(V1, '1.0');
    assert.deepEqual(gist(await plan(host, { init: true })), ['present', '1.0', undefined, 0, '']);
  });

  it('of apply asks nobody', async (t) => {
    const { host, origin } = place(t);
    await assert.rejects(plan(host, { mode: 'apply' }), { code: 'NO_MANIFEST' });
    host.provision(V2, '1.0');
    origin.manifest = Buffer.from('would be refused');
    assert.deepEqual(gist(await plan(host, { mode: 'apply' })), ['would-update', '1.1', '1.0', 0, 'app.service']);
    fs.rmSync(join(host.path, 'store', sha256(V2['1.1'])));
    assert.deepEqual(gist(await plan(host, { mode: 'apply' })), ['unchanged', '1.0', undefined, 0, '']);
  });

  it('takes no lock', async (t) => {
    const { host, origin } = place(t);
    await host.fetch();
    host.units.jobs();
    origin.requests();
    const { openDestination } = await import('../destination/destination.ts');
    const destination = openDestination(host.path, 'refuse');
    const lock = await destination.lock({ timeoutMs: 0, onWait: () => undefined }, new AbortController().signal);
    assert.equal((await plan(host)).outcome, 'unchanged');
    lock.release();
    destination.close();
  });

  it('obeys holds and skips', async (t) => {
    const { host } = place(t);
    host.provision(V1, '1.0');
    host.remember({ skip: [{ version: '1.1', reason: 'health', at: '2024-03-01T11:00:00Z' }] });
    assert.deepEqual(gist(await plan(host)).slice(0, 2), ['unchanged', '1.0']);
  });

  it('refuses what a run would refuse', async (t) => {
    const { host, origin } = place(t);
    host.provision(V2, '1.1');
    origin.publish(V1);
    await assert.rejects(plan(host), { code: 'OLDER_MANIFEST' });
    origin.manifest = manifestFile(V2, generateSecretKey());
    await assert.rejects(plan(host), { code: 'INVALID_SIGNATURE' });
    fs.chmodSync(host.path, 0o777);
    await assert.rejects(plan(host), { code: 'UNSAFE_OWNER' });
  });

  it('leaves the debt of a killed run to the next one that is no plan', async (t) => {
    const { host } = place(t);
    host.provision(V2, '1.1');
    host.remember({ owed: debt(V2['1.1'], V1['1.0']) });
    assert.equal((await plan(host)).outcome, 'unchanged');
  });
});
