import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { clearPartial, isPartial, markPartial, partialCommits, partialReason } from './partial.ts';
import { checksumNamed, newRepository } from './repository.fixture.ts';

const A = checksumNamed('a');
const B = checksumNamed('b');

describe('the mark of a partial commit', () => {
  it('is a file in state, and goes when the commit is whole', (t) => {
    const repository = newRepository(t);
    assert.equal(isPartial(repository, A), false);
    markPartial(repository, A, '');
    const file = join(repository.path, `state/${A}.commitpartial`);
    assert.equal(fs.readFileSync(file, 'latin1'), '');
    assert.equal(fs.statSync(file).mode & 0o7777, 0o644);
    assert.deepEqual(fs.readdirSync(join(repository.path, 'state')), [`${A}.commitpartial`]);
    assert.equal(partialReason(repository, A), '');
    assert.deepEqual(partialCommits(repository), [A]);
    clearPartial(repository, A);
    clearPartial(repository, A);
    assert.equal(partialReason(repository, A), undefined);
  });

  it('of a commit that lost objects stays that until the commit is whole', (t) => {
    const repository = newRepository(t);
    markPartial(repository, A, '');
    markPartial(repository, A, 'f');
    markPartial(repository, A, '');
    assert.equal(partialReason(repository, A), 'f');
    assert.equal(fs.readFileSync(join(repository.path, `state/${A}.commitpartial`), 'latin1'), 'f');
  });

  it('is found among other files', (t) => {
    const repository = newRepository(t);
    for (const name of ['x.commitpartial', `${A}.commitpartial.tmp`, `.${A}-17`]) {
      fs.writeFileSync(join(repository.path, 'state', name), '');
    }
    markPartial(repository, B, '');
    assert.deepEqual(partialCommits(repository), [B]);
  });

  it('can be made where state is missing, and read there', (t) => {
    const repository = newRepository(t);
    fs.rmdirSync(join(repository.path, 'state'));
    assert.deepEqual(partialCommits(repository), []);
    assert.equal(isPartial(repository, A), false);
    clearPartial(repository, A);
    markPartial(repository, A, 'f');
    assert.equal(partialReason(repository, A), 'f');
  });
});
