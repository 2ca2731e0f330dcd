import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { addSlot, link, testHost, testPlaces } from '../deployment/host.fixture.ts';
import { listInstalled } from './index.ts';

describe('the list of containers', () => {
  it('tells the state of each, also of broken ones, by name', async (t) => {
    const places = testPlaces(t);
    for (const name of ['run', 'failed', 'stopped', 'files']) {
      addSlot(places, name, 0, { hasService: name !== 'files', image: `image/${name}` });
      link(places, name, `${name}.0`);
    }
    mkdirSync(join(places.checkouts, 'broken.1'));
    link(places, 'dangling', 'dangling.0');
    const host = testHost(places, { states: { run: 'active', failed: 'failed', stopped: 'unknown', files: 'active' } });
    const listed = await listInstalled(host, undefined);
    assert.deepEqual(
      listed.map(({ name, state, info }) => [name, state, info?.image]),
      [
        ['broken', 'broken', undefined],
        ['dangling', 'broken', undefined],
        ['failed', 'failed', 'image/failed'],
        ['files', 'stopped', 'image/files'],
        ['run', 'running', 'image/run'],
        ['stopped', 'stopped', 'image/stopped'],
      ],
    );
    assert.ok(listed.every(({ state, problem }) => (problem !== undefined) === (state === 'broken')));
  });
  it('tells what a rollback would go back to', async (t) => {
    const places = testPlaces(t);
    addSlot(places, 'kvd', 0, { revision: 'old' });
    addSlot(places, 'kvd', 1, { revision: 'new' });
    link(places, 'kvd', 'kvd.1');
    const [kvd] = await listInstalled(testHost(places), undefined);
    assert.deepEqual([kvd?.slot, kvd?.rollback?.slot, kvd?.rollback?.info.revision], [1, 0, 'old']);
  });
  it('is empty when there is nothing', async (t) => {
    assert.deepEqual(await listInstalled(testHost(testPlaces(t)), undefined), []);
  });
});
