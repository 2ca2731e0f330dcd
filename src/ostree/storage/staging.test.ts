import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { type Directory, openDirectory } from '../../linux/files/directory.ts';
import { checksumNamed } from '../repository/repository.fixture.ts';
import { bootId, cleanTmp, openStaging } from './staging.ts';
import { namesBelow, openDescriptors } from './storage.fixture.ts';

const OTHER_BOOT = 'staging-00000000-0000-4000-8000-000000000000-abcdef';
const DAY = 86_400_000;
const OBJECT = `${checksumNamed('x').slice(2)}.file`;

function tmpOf(t: TestContext): Directory {
  const tmp = openDirectory(scratch(t));
  t.after(() => tmp.close());
  return tmp;
}

function put(tmp: Directory, path: string): void {
  fs.mkdirSync(join(tmp.path, path, '..'), { recursive: true });
  fs.writeFileSync(join(tmp.path, path), '');
}

describe('a staging directory', () => {
  it('is named after the boot, with a lock beside it, and goes with it', (t) => {
    const tmp = tmpOf(t);
    const descriptors = openDescriptors();
    const staging = openStaging(tmp);
    assert.match(staging.name, new RegExp(`^staging-${bootId()}-[A-Za-z0-9]{6}$`));
    assert.deepEqual(namesBelow(tmp.path), [staging.name, `${staging.name}-lock`]);
    assert.equal(fs.statSync(join(tmp.path, `${staging.name}-lock`)).mode & 0o7777, 0o600);
    assert.equal(staging.isReused, false);
    put(tmp, `${staging.name}/ab/${OBJECT}`);
    staging.remove();
    staging.close();
    assert.deepEqual(namesBelow(tmp.path), []);
    assert.equal(openDescriptors(), descriptors);
  });

  it('that is in use is left alone', (t) => {
    const tmp = tmpOf(t);
    const [one, two] = [openStaging(tmp), openStaging(tmp)];
    assert.notEqual(one.name, two.name);
    one.remove();
    assert.ok(fs.existsSync(join(tmp.path, two.name)));
    two.remove();
  });

  it('of a killed run is taken over: whole objects stay, everything else goes', (t) => {
    const tmp = tmpOf(t);
    const killed = openStaging(tmp);
    const whole = `${killed.name}/ab/${OBJECT}`;
    for (const path of [whole, `${killed.name}/ab/.new-12-0`, `${killed.name}/.new-12-1`, `${killed.name}/x/y`]) {
      put(tmp, path);
    }
    put(tmp, `${killed.name}/cd`);
    killed.keep();
    const taken = openStaging(tmp);
    assert.deepEqual([taken.name, taken.isReused], [killed.name, true]);
    assert.deepEqual(namesBelow(taken.path), ['ab', `ab/${OBJECT}`]);
    taken.remove();
  });

  it('of which only the lock was made, or is left, does not stay', (t) => {
    const tmp = tmpOf(t);
    put(tmp, `staging-${bootId()}-aaaaaa-lock`);
    openStaging(tmp).remove();
    assert.deepEqual(namesBelow(tmp.path), []);
  });

  it('without a lock file, as libostree may leave it, is taken over, too', (t) => {
    const tmp = tmpOf(t);
    put(tmp, `staging-${bootId()}-aaaaaa/ab/${OBJECT}`);
    const taken = openStaging(tmp);
    assert.deepEqual([taken.name, taken.isReused], [`staging-${bootId()}-aaaaaa`, true]);
    taken.remove();
    assert.deepEqual(namesBelow(tmp.path), []);
  });

  it('is not made where a file has its name, nor followed through a link', (t) => {
    const tmp = tmpOf(t);
    const elsewhere = scratch(t);
    fs.writeFileSync(join(elsewhere, 'precious'), '');
    fs.symlinkSync(elsewhere, join(tmp.path, `staging-${bootId()}-aaaaaa`));
    put(tmp, `staging-${bootId()}-bbbbbb`);
    const staging = openStaging(tmp);
    assert.equal(staging.isReused, false);
    staging.remove();
    assert.deepEqual(fs.readdirSync(elsewhere), ['precious']);
  });

  it('whose boot is given by the environment is that of OSTREE_BOOTID', (t) => {
    process.env['OSTREE_BOOTID'] = 'mine';
    t.after(() => delete process.env['OSTREE_BOOTID']);
    const staging = openStaging(tmpOf(t));
    assert.match(staging.name, /^staging-mine-/);
    staging.remove();
  });
});

describe('cleaning tmp', () => {
  it('removes what other boots left, unless it is locked', (t) => {
    const tmp = tmpOf(t);
    put(tmp, `${OTHER_BOOT}/ab/${OBJECT}`);
    put(tmp, `${OTHER_BOOT}-lock`);
    put(tmp, 'staging-other-lonely-lock');
    process.env['OSTREE_BOOTID'] = 'other';
    const held = openStaging(tmp);
    delete process.env['OSTREE_BOOTID'];
    assert.notEqual(held.name, 'staging-other-lonely-x');
    cleanTmp(tmp, DAY, Date.now());
    assert.deepEqual(namesBelow(tmp.path), [held.name, `${held.name}-lock`]);
    held.keep();
    cleanTmp(tmp, DAY, Date.now());
    assert.deepEqual(namesBelow(tmp.path), []);
  });

  it('leaves what is of this boot', (t) => {
    const tmp = tmpOf(t);
    const staging = openStaging(tmp);
    put(tmp, `${staging.name}/ab/${OBJECT}`);
    staging.keep();
    cleanTmp(tmp, DAY, Date.now() + 10 * DAY);
    assert.ok(fs.existsSync(join(tmp.path, staging.name, 'ab', OBJECT)));
  });

  it('removes other things when they are older than the limit, but never the cache', (t) => {
    const tmp = tmpOf(t);
    const now = Date.now();
    for (const path of ['old', 'young', 'olddir/x', 'cache/summaries/x']) put(tmp, path);
    const old = (now - 2 * DAY) / 1000;
    for (const name of ['old', 'olddir', 'cache']) fs.utimesSync(join(tmp.path, name), old, old);
    cleanTmp(tmp, 3 * DAY, now);
    assert.equal(fs.readdirSync(tmp.path).length, 4);
    cleanTmp(tmp, DAY, now);
    assert.deepEqual(fs.readdirSync(tmp.path).sort(), ['cache', 'young']);
  });
});
