import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { HEAD } from './refs.ts';
import { checksumNamed, emptyCommit, newRepository, reopened } from './repository.fixture.ts';
import type { Repository } from './repository.ts';
import { resolveRevision, tryResolve } from './resolve.ts';
import { writeRefs } from './write-refs.ts';

const A = checksumNamed('a');
const B = checksumNamed('b');

function writeRemote(repository: Repository, remote: string, ref: string, commit: string): void {
  writeRefs(repository, [{ place: { kind: 'remote', remote }, ref, commit }], true);
}

function touchCommit(repository: Repository, checksum: string, extension = 'commit'): void {
  const folder = join(repository.path, 'objects', checksum.slice(0, 2));
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(join(folder, `${checksum.slice(2)}.${extension}`), '');
}

describe('what a user calls a commit', () => {
  it('may be its checksum, whether it is there or not', (t) => {
    assert.equal(resolveRevision(newRepository(t), A), A);
  });

  it('may be the beginning of its checksum when no other commit begins so', (t) => {
    const repository = newRepository(t);
    const [one, two] = [`ab1${A.slice(3)}`, `ab2${A.slice(3)}`];
    touchCommit(repository, one);
    touchCommit(repository, two);
    touchCommit(repository, `ab3${A.slice(3)}`, 'dirtree');
    assert.equal(resolveRevision(repository, 'ab1'), one);
    assert.equal(resolveRevision(repository, two.slice(0, 63)), two);
    assert.throws(() => resolveRevision(repository, 'ab'), { code: 'REF_AMBIGUOUS' });
    for (const none of ['ab3', 'ac', 'ab1f', 'AB1']) {
      assert.equal(tryResolve(repository, none), undefined);
      assert.throws(() => resolveRevision(repository, none), { code: 'REF_MISSING' });
    }
  });

  it('is a commit before it is a ref of the same letters', (t) => {
    const repository = newRepository(t);
    writeRefs(repository, [{ place: HEAD, ref: 'abc', commit: B }], true);
    assert.equal(resolveRevision(repository, 'abc'), B);
    const commit = `abc${A.slice(3)}`;
    touchCommit(repository, commit);
    assert.equal(resolveRevision(repository, 'abc'), commit);
  });

  it('may go back by a ^ for each generation', async (t) => {
    const repository = newRepository(t);
    const first = await emptyCommit(repository, '1');
    const second = await emptyCommit(repository, '2', first);
    const third = await emptyCommit(repository, '3', second);
    writeRefs(repository, [{ place: HEAD, ref: 'main', commit: third }], true);
    assert.equal(resolveRevision(repository, 'main^'), second);
    assert.equal(resolveRevision(repository, 'main^^'), first);
    assert.equal(resolveRevision(repository, `${third}^`), second);
    assert.equal(resolveRevision(repository, `${second.slice(0, 20)}^`), first);
    assert.throws(() => resolveRevision(repository, 'main^^^'), { code: 'REF_MISSING' });
    assert.throws(() => resolveRevision(repository, 'none^'), { code: 'REF_MISSING' });
    assert.throws(() => resolveRevision(repository, `${A}^`), { code: 'OBJECT_MISSING' });
    assert.throws(() => resolveRevision(repository, '^'), { code: 'REF_NAME' });
    assert.throws(() => resolveRevision(repository, `main${'^'.repeat(100_000)}`), { code: 'REF_MISSING' });
  });

  it('is a head, else REMOTE/REF, else a ref of any remote', (t) => {
    const repository = newRepository(t);
    assert.equal(tryResolve(repository, 'origin/x'), undefined);
    writeRemote(repository, 'zz', 'origin/x', checksumNamed('any'));
    assert.equal(tryResolve(repository, 'origin/x'), checksumNamed('any'));
    writeRemote(repository, 'origin', 'x', checksumNamed('slash'));
    assert.equal(tryResolve(repository, 'origin/x'), checksumNamed('slash'));
    writeRefs(repository, [{ place: HEAD, ref: 'origin/x', commit: checksumNamed('head') }], true);
    assert.equal(tryResolve(repository, 'origin/x'), checksumNamed('head'));
    assert.equal(tryResolve(repository, 'origin:x'), checksumNamed('slash'));
    assert.equal(tryResolve(repository, 'zz:x'), undefined);
  });

  it('is found although another ref cannot be read', (t) => {
    const repository = newRepository(t);
    writeRemote(repository, 'origin', 'x', A);
    fs.writeFileSync(join(repository.path, 'refs/remotes/origin/broken'), 'broken');
    fs.writeFileSync(join(repository.path, 'refs/heads/broken'), 'broken');
    assert.equal(tryResolve(repository, 'x'), A);
    assert.equal(tryResolve(repository, 'none'), undefined);
  });

  it('is also looked for in the parent repository', async (t) => {
    const parent = newRepository(t);
    const old = await emptyCommit(parent, 'old');
    const main = await emptyCommit(parent, 'main', old);
    writeRefs(parent, [{ place: HEAD, ref: 'main', commit: main }], true);
    writeRemote(parent, 'origin', 'x', B);
    const child = newRepository(t);
    child.updateConfig((file) => file.set('core', 'parent', parent.path));
    const repository = reopened(t, child.path);
    assert.equal(tryResolve(repository, 'main'), main);
    assert.equal(tryResolve(repository, 'main^'), old);
    assert.equal(tryResolve(repository, 'origin:x'), B);
    writeRefs(repository, [{ place: HEAD, ref: 'main', commit: A }], true);
    assert.equal(tryResolve(repository, 'main'), A);
  });
});
