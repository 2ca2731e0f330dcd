/** The repositories of test/fixtures/ostree, whose commits the reference implementation made, as streams. */
import assert from 'node:assert/strict';
import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../../test/support/needs.ts';
import { filesOf, unpackVector, vectorManifest } from '../../../../test/support/ostree-vectors.ts';
import { openRepository, type RepositoryMode } from '../../../ostree/index.ts';
import { CONFIG, REPO } from '../layout.ts';
import { exported, newRepository } from '../stream.fixture.ts';
import { importInto, type Piece, piecesOf } from '../tampering.fixture.ts';

const MAIN = vectorManifest().repos['archive']?.refs['heads/test/main'] ?? assert.fail('no commit');
const peers = { skip: needs('root') };

describe('a commit of the vectors', () => {
  for (const from of ['archive', 'bare', 'bare-user'] as const) {
    it(`out of ${from} is the same commit in every kind of repository`, peers, async (t) => {
      const source = openRepository(unpackVector(t, from));
      t.after(() => source.close());
      const stream = await exported(source, MAIN);
      for (const mode of ['archive', 'bare', 'bare-user'] satisfies RepositoryMode[]) {
        const repository = newRepository(t, mode);
        assert.equal((await importInto(repository, stream)).commit, MAIN, mode);
        assert.deepEqual(await exported(repository, MAIN), stream, mode);
      }
    });
  }

  it('has in its stream the objects of a repository in mode bare-split-xattrs', peers, async (t) => {
    const path = unpackVector(t, 'bare-split-xattrs');
    const split = openRepository(path);
    t.after(() => split.close());
    const pieces = (await piecesOf(await exported(split, MAIN))).filter(isOfRepo);
    assert.equal(pieces.find(({ entry }) => entry.path === `${REPO}/config`)?.data.toString(), CONFIG);
    const objects = pieces.filter(({ entry }) => entry.path.startsWith(`${REPO}/objects/`));
    assert.ok(objects.length > 50, `${objects.length}`);
    const known = new Set(filesOf(path, ''));
    for (const { entry, data } of objects) {
      const name = entry.path.slice(REPO.length + 1);
      assert.ok(known.has(name), name);
      const stats = lstatSync(join(path, name));
      assert.equal(stats.isSymbolicLink(), entry.type === 'symlink', name);
      if (!name.endsWith('.file')) {
        if (entry.type === 'file') assert.deepEqual(data, readFileSync(join(path, name)), name);
        continue;
      }
      assert.deepEqual([entry.uid, entry.gid], [stats.uid, stats.gid], name);
      if (entry.type === 'symlink') continue;
      assert.equal(entry.mode, stats.mode & 0o7777, name);
      assert.deepEqual(data, readFileSync(join(path, name)), name);
    }
  });

  it('of mode bare-user-only comes back in a repository of that mode', async (t) => {
    const commit = vectorManifest().repos['bare-user-only']?.refs['heads/test/main'] ?? assert.fail('no commit');
    const source = openRepository(unpackVector(t, 'bare-user-only'));
    t.after(() => source.close());
    const repository = newRepository(t, 'bare-user-only');
    assert.equal((await importInto(repository, await exported(source, commit))).commit, commit);
  });
});

const isOfRepo = ({ entry }: Piece): boolean => entry.path.startsWith(`${REPO}/`) && entry.type !== 'directory';
