import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { objectPath } from '../objects/object-type.ts';
import { commitObjects, singleCommit } from './commit-objects.ts';
import { checksumNamed, newRepository } from './repository.fixture.ts';
import type { Repository } from './repository.ts';

function put({ path }: Repository, name: string): void {
  fs.mkdirSync(join(path, 'objects', name, '..'), { recursive: true });
  fs.writeFileSync(join(path, 'objects', name), '');
}

describe('the commits of a repository', () => {
  it('are found in the order of their checksums, among everything else', (t) => {
    const repository = newRepository(t);
    const commits = Array.from({ length: 20 }, (_, i) => checksumNamed(`${i}`)).sort();
    for (const commit of commits) put(repository, objectPath(commit, 'commit'));
    const other = checksumNamed('other');
    for (const type of ['dirtree', 'commitmeta', 'tombstone-commit', 'filez'] as const) {
      put(repository, objectPath(other, type));
    }
    for (const name of ['constructor', '__proto__', 'toString', 'commit.tmp', 'COMMIT']) {
      put(repository, `ab/${other.slice(2)}.${name}`);
    }
    for (const name of [
      'ab/.new-12-0',
      `ab/${other.slice(3)}.commit`,
      `zz/${other.slice(2)}.commit`,
      `AB/${other.slice(2)}.commit`,
    ]) {
      put(repository, name);
    }
    fs.writeFileSync(join(repository.path, 'objects/00'), 'not a directory');
    assert.deepEqual([...commitObjects(repository)], commits);
  });

  it('may be one alone', (t) => {
    const repository = newRepository(t);
    assert.throws(() => singleCommit(repository), { code: 'REF_MISSING' });
    const [a, b] = [checksumNamed('a'), checksumNamed('b')];
    put(repository, objectPath(a, 'commit'));
    assert.equal(singleCommit(repository), a);
    put(repository, objectPath(b, 'commit'));
    assert.throws(() => singleCommit(repository), { code: 'REF_AMBIGUOUS' });
  });
});
