import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { findStorage, openStorage } from './index.ts';

const placesIn = (checkouts: string, repositoryMode: 'bare' | 'bare-user' = 'bare') => ({
  checkouts,
  repository: join(checkouts, '.storage/repo'),
  repositoryMode,
});

describe('the storage', () => {
  it('is made when it is wanted, in the mode of the scope, and for its owner alone', (t) => {
    const places = placesIn(join(scratch(t), 'a/b/atomic'), 'bare-user');
    assert.equal(findStorage(places), undefined);
    const made = openStorage(places, { create: true });
    assert.equal(made.mode, 'bare-user');
    made.close();
    const modeOf = (path: string) => (fs.statSync(path).mode & 0o777).toString(8);
    assert.deepEqual([join(places.checkouts, '.storage'), places.repository].map(modeOf), ['700', '700']);
    const again = openStorage({ ...places, repositoryMode: 'bare' }, { create: true });
    assert.equal(again.mode, 'bare-user');
    again.close();
  });

  it('that is not there is no image, and nothing is made', (t) => {
    const places = placesIn(join(scratch(t), 'atomic'));
    assert.throws(() => openStorage(places, { create: false }), { code: 'IMAGE_NOT_STORED' });
    assert.equal(fs.existsSync(places.checkouts), false);
  });

  it('that was begun by a run that was ended is made ready', (t) => {
    const places = placesIn(scratch(t));
    fs.mkdirSync(places.repository, { recursive: true });
    assert.equal(findStorage(places), undefined);
    openStorage(places, { create: true }).close();
    findStorage(places)?.close();
  });

  it('that is something else is refused', (t) => {
    const places = placesIn(scratch(t));
    fs.mkdirSync(join(places.repository, 'objects'), { recursive: true });
    assert.throws(() => openStorage(places, { create: true }), { code: 'NOT_A_REPOSITORY' });
  });
});
