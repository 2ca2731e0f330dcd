import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isPartial } from '../repository/partial.ts';
import { HEAD, readRef } from '../repository/refs.ts';
import { newRepository, SIGNAL } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { isWhole } from './commits.ts';
import { type LocalOptions, pullLocal } from './local.ts';
import { DEFAULTS } from './options.ts';
import { type Published, publish, visible } from './pull.fixture.ts';

interface LocalScene {
  readonly from: Repository;
  readonly into: Repository;
  readonly published: Published;
  pull(options?: Partial<LocalOptions>): ReturnType<typeof pullLocal>;
}

async function localScene(
  t: TestContext,
  [fromMode, intoMode]: readonly ['archive' | 'bare-user', 'archive' | 'bare-user'],
): Promise<LocalScene> {
  const from = newRepository(t, fromMode);
  const published = await publish(from);
  const into = newRepository(t, intoMode);
  const pull = (options: Partial<LocalOptions> = {}) =>
    pullLocal(from, into, { ...DEFAULTS, remote: undefined, untrusted: false, ...options }, { signal: SIGNAL });
  return { from, into, published, pull };
}

const pathOf = (repository: Repository, checksum: string): string =>
  objectsOf(repository).find(checksum, 'file')?.path ?? '';

describe('a pull from a repository on this machine', () => {
  it('links files where both repositories keep them alike', async (t) => {
    const { from, into, published, pull } = await localScene(t, ['bare-user', 'bare-user']);
    await pull();
    for (const checksum of Object.values(published.files)) {
      assert.equal(statSync(pathOf(into, checksum)).ino, statSync(pathOf(from, checksum)).ino);
    }
    assert.equal(isWhole(into, published.commit), true);
    assert.equal(readRef(into, HEAD, 'main'), published.commit);
  });

  it('stores files anew where the modes differ', async (t) => {
    const { into, published, pull } = await localScene(t, ['archive', 'bare-user']);
    const { content, bytes } = await pull();
    assert.deepEqual([content, bytes > 0], [4, true]);
    assert.equal(isWhole(into, published.commit), true);
  });

  it('writes refs of a remote when one is named', async (t) => {
    const { into, published, pull } = await localScene(t, ['archive', 'archive']);
    await pull({ remote: 'origin' });
    assert.equal(readRef(into, { kind: 'remote', remote: 'origin' }, 'main'), published.commit);
    assert.equal(readRef(into, HEAD, 'main'), undefined);
  });

  it('brings a commit by its checksum, and no ref', async (t) => {
    const { into, published, pull } = await localScene(t, ['archive', 'archive']);
    const { refs } = await pull({ asked: [{ ref: undefined, commit: published.commit }] });
    assert.deepEqual(refs, []);
    assert.equal(isWhole(into, published.commit), true);
  });

  it('trusts what it links, and hashes it when told not to', async (t) => {
    const { from, into, published, pull } = await localScene(t, ['archive', 'archive']);
    writeFileSync(pathOf(from, published.files['one'] ?? ''), 'damaged');
    const before = visible(into);
    await assert.rejects(pull({ untrusted: true }), { code: 'OBJECT_MALFORMED' });
    assert.deepEqual(visible(into), before);
    await pull();
  });

  it('never takes damaged content into another mode', async (t) => {
    const { from, into, published, pull } = await localScene(t, ['archive', 'bare-user']);
    const before = visible(into);
    writeFileSync(pathOf(from, published.files['one'] ?? ''), 'damaged');
    await assert.rejects(pull(), { code: 'OBJECT_MALFORMED' });
    assert.deepEqual(visible(into), before);
  });

  it('leaves a commit without its tree partial', async (t) => {
    const { into, published, pull } = await localScene(t, ['archive', 'archive']);
    await pull({ commitOnly: true });
    assert.equal(isPartial(into, published.commit), true);
    await pull();
    assert.equal(isWhole(into, published.commit), true);
  });

  it('brings as many parents as it is told', async (t) => {
    const { from, into, published, pull } = await localScene(t, ['archive', 'archive']);
    const second = await publish(from, { parent: published.commit, files: { two: '2' } });
    await pull();
    assert.deepEqual([isWhole(into, second.commit), isWhole(into, published.commit)], [true, false]);
    await pull({ depth: -1 });
    assert.equal(isWhole(into, published.commit), true);
  });

  it('refuses a ref that is not there, and one that its commit is not bound to', async (t) => {
    const { from, pull } = await localScene(t, ['archive', 'archive']);
    await assert.rejects(pull({ asked: [{ ref: 'none', commit: undefined }] }), { code: 'REF_MISSING' });
    await publish(from, { ref: 'alias', boundTo: ['main'] });
    await assert.rejects(pull({ asked: [{ ref: 'alias', commit: undefined }] }), { code: 'BINDING_MISMATCH' });
  });

  it('is stopped before a commit that lost objects gets a ref', async (t) => {
    const { from, into, pull } = await localScene(t, ['archive', 'archive']);
    const lost = await publish(from, { ref: 'lost', files: { gone: 'gone' } });
    const { unlinkSync } = await import('node:fs');
    unlinkSync(pathOf(from, lost.files['gone'] ?? ''));
    await assert.rejects(pull({ asked: [{ ref: 'lost', commit: undefined }] }), { code: 'OBJECT_MISSING' });
    assert.equal(readRef(into, HEAD, 'lost'), undefined);
    assert.ok(statSync(join(into.path, 'objects')).isDirectory());
  });
});
