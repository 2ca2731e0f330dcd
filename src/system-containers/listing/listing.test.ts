import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { addSlot, link, testHost, testPlaces } from '../deployment/host.fixture.ts';
import { imageIn, newStorage, pulled } from '../storage/storage.fixture.ts';
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
  it('tells of a newer image by the tag, or by the tags within the bound', async (t) => {
    const places = testPlaces(t);
    const repository = newStorage(t);
    const digests = [];
    for (const tag of ['1.2', '1.3', '2.0', 'latest']) {
      const { name } = await imageIn(t, [[{ path: 'tag', content: tag }]]);
      digests.push((await pulled(t, repository, name, { name: `localhost/kvd:${tag}` })).image.digest);
    }
    const [old = '', newest, , latest] = digests;
    const image = 'localhost/kvd';
    const revision = old.replace('sha256:', '');
    addSlot(places, 'bound', 0, { image, revision, tagVersion: { pattern: '1.*', preReleases: false } });
    addSlot(places, 'free', 0, { image, revision });
    addSlot(places, 'same', 0, { image: `${image}:1.2`, revision });
    addSlot(places, 'unreadable', 0, { image: ' ?', revision });
    for (const name of ['bound', 'free', 'same', 'unreadable']) link(places, name, `${name}.0`);
    const listed = await listInstalled(testHost(places), repository);
    assert.deepEqual(
      listed.map(({ pulled }) => pulled),
      [newest, latest, undefined, undefined],
    );
  });
  it('is empty when there is nothing', async (t) => {
    assert.deepEqual(await listInstalled(testHost(testPlaces(t)), undefined), []);
  });
});
