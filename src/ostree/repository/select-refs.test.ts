import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { HEAD } from './refs.ts';
import { createRepository, openRepository, type Repository } from './repository.ts';
import { deleteRefs, selectCollectionRefs, selectRefs } from './select-refs.ts';
import { writeAlias, writeRefs } from './write-refs.ts';

const SUM = 'a'.repeat(64);

function repositoryWithRefs(t: TestContext): Repository {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode: 'archive', collectionId: 'org.example.Own' });
  const repository = openRepository(path);
  t.after(() => repository.close());
  const remote = { kind: 'remote', remote: 'origin' } as const;
  const mirror = { kind: 'mirror', collection: 'org.example.Other' } as const;
  const places = [
    [HEAD, 'os/a'],
    [HEAD, 'os/b/c'],
    [HEAD, 'osx'],
    [remote, 'os/a'],
    [mirror, 'm'],
  ] as const;
  writeRefs(
    repository,
    places.map(([place, ref]) => ({ place, ref, commit: SUM })),
    false,
  );
  writeAlias(repository, 'alias', 'os/a');
  return repository;
}

describe('refs by a prefix', () => {
  it('are whole components of names, without the prefix unless it is the very ref', (t) => {
    const repository = repositoryWithRefs(t);
    const names = (prefix?: string): string[] => selectRefs(repository, prefix).map(({ short }) => short);
    assert.deepEqual(names(), ['alias', 'os/a', 'os/b/c', 'osx', 'origin:os/a']);
    assert.deepEqual(names('os'), ['a', 'b/c']);
    assert.deepEqual(names('os/a'), ['os/a']);
    assert.deepEqual(names('origin:'), ['origin:os/a']);
    assert.deepEqual(names('origin:os'), ['origin:a']);
    assert.deepEqual(names('o'), []);
    assert.throws(() => names('../x:'), { code: 'REF_NAME' });
  });
  it('of a collection are mirrored ones, and heads of the own', (t) => {
    const repository = repositoryWithRefs(t);
    const names = (id?: string) =>
      selectCollectionRefs(repository, id).map(({ collection, ref }) => `${collection} ${ref}`);
    assert.deepEqual(names('org.example.Other'), ['org.example.Other m']);
    assert.equal(names('org.example.Own').length, 4);
    assert.throws(() => names('bad'), { code: 'REF_NAME' });
  });
  it('are not deleted while an alias that stays leads to one of them', (t) => {
    const repository = repositoryWithRefs(t);
    assert.throws(() => deleteRefs(repository, selectRefs(repository, 'os'), false), { code: 'REF_EXISTS' });
    const both = [...selectRefs(repository, 'os'), ...selectRefs(repository, 'alias')];
    deleteRefs(repository, both, true);
    assert.equal(selectRefs(repository, 'os').length, 2);
    deleteRefs(repository, both, false);
    assert.deepEqual(
      selectRefs(repository, undefined).map(({ short }) => short),
      ['osx', 'origin:os/a'],
    );
  });
});
