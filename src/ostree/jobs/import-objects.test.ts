import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import type { FileHeader } from '../objects/file-header.ts';
import { objectPath } from '../objects/object-type.ts';
import type { RepositoryMode } from '../repository/config.ts';
import { checksumNamed, emptyCommit, newRepository } from '../repository/repository.fixture.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { content, file, inTransaction, link, xattr } from '../storage/storage.fixture.ts';
import { fsckObjects } from './fsck-objects.ts';
import type { ImportBatch, ImportResult } from './import-objects.ts';
import { openPool } from './pool.ts';
import type { ObjectName } from './verify-objects.ts';

const MODES = ['archive', 'bare', 'bare-user'] satisfies RepositoryMode[];
const FILES: readonly (readonly [header: FileHeader, size: number])[] = [
  [file(), 0],
  [file({ mode: 0o104755, uid: 3, gid: 4 }), 100],
  [file({ xattrs: [xattr('user.a', 'b'), xattr('user.c', 'd')] }), 70_000],
  [file(), 5 * 2 ** 20],
  [link('target', { uid: 5 }), 0],
];

function importing(
  from: Repository,
  to: Repository,
  batch: Partial<ImportBatch> & Pick<ImportBatch, 'objects'>,
): Promise<ImportResult> {
  return inTransaction(to, async ({ place }) => {
    const pool = openPool({ write: place }, 0);
    return pool.run('import-objects', { from: objectsOf(from).places, verify: true, mayLink: false, ...batch });
  });
}

async function filled(repository: Repository): Promise<ObjectName[]> {
  const commit = await emptyCommit(repository, 'x');
  const { rootTree, rootMeta } = objectsOf(repository).commit(commit);
  const files = await inTransaction(repository, ({ writer }) =>
    FILES.map(([header, size]) => writer.putFile(header, content(size)).checksum),
  );
  return [
    { checksum: commit, type: 'commit' },
    { checksum: rootTree, type: 'dirtree' },
    { checksum: rootMeta, type: 'dirmeta' },
    ...files.map((checksum): ObjectName => ({ checksum, type: 'file' })),
  ];
}

describe('objects of another repository', { skip: needs('root') }, () => {
  for (const fromMode of MODES) {
    for (const toMode of MODES) {
      it(`of mode ${fromMode} are whole in one of mode ${toMode}`, async (t) => {
        const [from, to] = [newRepository(t, fromMode), newRepository(t, toMode)];
        const objects = await filled(from);
        const result = await importing(from, to, { objects });
        assert.deepEqual([result.linked, result.copied], [0, objects.length]);
        const context = { reader: objectsOf(to), writer: undefined };
        assert.deepEqual((await fsckObjects(context, { objects })).found, []);
        assert.deepEqual(await importing(from, to, { objects }), { linked: 0, copied: 0, bytes: 0 });
      });
    }
  }

  it('are linked when that is allowed and possible', async (t) => {
    const [from, to] = [newRepository(t, 'bare'), newRepository(t, 'bare')];
    const objects = await filled(from);
    const result = await importing(from, to, { objects, mayLink: true });
    assert.deepEqual([result.linked, result.copied], [FILES.length, 3]);
    for (const { checksum } of objects.slice(3)) {
      const [a, b] = [from, to].map(
        ({ path }) => fs.lstatSync(join(path, 'objects', objectPath(checksum, 'file'))).ino,
      );
      assert.equal(a, b);
    }
  });

  it('that are corrupt are refused, linked only unseen', async (t) => {
    const [from, to] = [newRepository(t, 'bare'), newRepository(t, 'bare')];
    const { checksum } = await inTransaction(from, ({ writer }) => writer.putFile(file(), content(10)));
    fs.appendFileSync(join(from.path, 'objects', objectPath(checksum, 'file')), 'x');
    const objects: ObjectName[] = [{ checksum, type: 'file' }];
    await assert.rejects(importing(from, to, { objects }), { code: 'OBJECT_CORRUPT', subject: checksum });
    await assert.rejects(importing(from, to, { objects, mayLink: true }), { code: 'OBJECT_CORRUPT' });
    assert.equal(objectsOf(to).has(checksum, 'file'), false);
    assert.equal((await importing(from, to, { objects, mayLink: true, verify: false })).linked, 1);
  });

  it('that are corrupt metadata, or absent, are refused', async (t) => {
    const [from, to] = [newRepository(t), newRepository(t)];
    const checksum = checksumNamed('a');
    const objects: ObjectName[] = [{ checksum, type: 'dirtree' }];
    await assert.rejects(importing(from, to, { objects }), { code: 'OBJECT_MISSING', subject: checksum });
    fs.mkdirSync(join(from.path, 'objects', checksum.slice(0, 2)));
    fs.writeFileSync(join(from.path, 'objects', objectPath(checksum, 'dirtree')), Buffer.from('00', 'hex'));
    await assert.rejects(importing(from, to, { objects }), { code: 'OBJECT_CORRUPT', subject: checksum });
  });

  it('of a mode that bare-user-only cannot keep are refused there', async (t) => {
    const [from, to] = [newRepository(t), newRepository(t, 'bare-user-only')];
    const { checksum } = await inTransaction(from, ({ writer }) =>
      writer.putFile(file({ mode: 0o104755 }), content(5)),
    );
    const objects: ObjectName[] = [{ checksum, type: 'file' }];
    await assert.rejects(importing(from, to, { objects }), { code: 'OBJECT_UNSUITABLE' });
    const archive = newRepository(t);
    await assert.rejects(importing(from, archive, { objects, plainModes: true }), { code: 'OBJECT_UNSUITABLE' });
    assert.equal((await importing(from, archive, { objects })).copied, 1);
  });
});
