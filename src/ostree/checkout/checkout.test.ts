import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { unpackVector } from '../../../test/support/ostree-vectors.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { openRepository, type Repository } from '../repository/repository.ts';
import { resolveRevision } from '../repository/resolve.ts';
import { checkout } from './checkout.ts';
import { CHECKOUT_DEFAULTS, type CheckoutOptions } from './options.ts';

const USER: CheckoutOptions = { ...CHECKOUT_DEFAULTS, userMode: true, fsync: false };
const never = new AbortController().signal;

function archive(t: TestContext): { repository: Repository; path: string; commit: string } {
  const path = unpackVector(t, 'archive');
  const repository = openRepository(path);
  t.after(() => repository.close());
  return { repository, path, commit: resolveRevision(repository, 'test/main') };
}

describe('a checkout', () => {
  it('of a name as long as names may be leaves nothing beside the target', async (t) => {
    const { repository, commit } = archive(t);
    const folder = scratch(t);
    const name = '日'.repeat(85);
    await checkout(repository, commit, join(folder, name), { ...USER, subpath: '/usr/share' }, never);
    assert.deepEqual(readdirSync(folder), [name]);
  });
  it('that is aborted leaves nothing at all', async (t) => {
    const { repository, commit } = archive(t);
    const folder = scratch(t);
    const abort = new AbortController();
    const running = checkout(repository, commit, join(folder, 'root'), USER, abort.signal);
    setImmediate(() => abort.abort(new Error('enough')));
    await assert.rejects(running, /enough/);
    assert.deepEqual(readdirSync(folder), []);
  });
  it('removes what a killed one left beside the same place, and nothing else', async (t) => {
    const { repository, commit } = archive(t);
    const folder = scratch(t);
    for (const name of ['.root.checkout-1', '.other.checkout-1'])
      mkdirSync(join(folder, name, 'deep'), { recursive: true });
    await checkout(repository, commit, join(folder, 'root'), { ...USER, subpath: '/usr/share' }, never);
    assert.deepEqual(readdirSync(folder).sort(), ['.other.checkout-1', 'root']);
  });
  it('of an archive keeps what it unpacked, and nothing in tmp', async (t) => {
    const { repository, path, commit } = archive(t);
    const folder = scratch(t);
    const options = { ...USER, subpath: '/usr/share' };
    const first = await checkout(repository, commit, join(folder, 'a'), options, never);
    assert.ok(first.linked > 0);
    assert.deepEqual(readdirSync(join(path, 'tmp')), []);
    assert.ok(existsSync(join(path, 'uncompressed-objects-cache')));
    assert.deepEqual(await checkout(repository, commit, join(folder, 'b'), options, never), first);
  });
  it('without the cache makes copies', async (t) => {
    const { repository, path, commit } = archive(t);
    const options = { ...USER, disableCache: true, subpath: '/usr/share' };
    const { linked, copied } = await checkout(repository, commit, join(scratch(t), 'a'), options, never);
    assert.deepEqual([linked, copied > 0, existsSync(join(path, 'uncompressed-objects-cache'))], [0, true, false]);
  });
  it('whose objects are missing leaves nothing, and no half file in a target that was there', async (t) => {
    const { repository, path, commit } = archive(t);
    const folder = scratch(t);
    const blob = readdirSync(join(path, 'objects'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.filez'),
    );
    for (const name of blob)
      writeFileSync(join(path, 'objects', name), readFileSync(join(path, 'objects', name)).subarray(0, -3));
    const options = { ...USER, disableCache: true };
    await assert.rejects(checkout(repository, commit, join(folder, 'a'), options, never), { code: 'OBJECT_MALFORMED' });
    assert.deepEqual(readdirSync(folder), []);
    const subpath = '/usr/lib';
    await assert.rejects(
      checkout(repository, commit, join(folder, 'a'), { ...options, subpath, existing: 'keep' }, never),
    );
    assert.deepEqual(readdirSync(join(folder, 'a')), []);
  });
});
