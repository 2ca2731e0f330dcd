import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { objectPath } from '../objects/object-type.ts';
import { checksumNamed, newRepository } from '../repository/repository.fixture.ts';
import { content, file, inTransaction, link, namesBelow, openDescriptors } from './storage.fixture.ts';

const A = checksumNamed('a');

describe('a writer of objects', () => {
  it('finds what it has staged, what is in the repository, and what is in its parent', async (t) => {
    const parent = newRepository(t);
    const own = newRepository(t);
    const put = (repository: typeof own, seed: number): Promise<boolean> =>
      inTransaction(repository, ({ writer }) => writer.putFile(file(), content(10, seed)).isNew);
    assert.equal(await put(parent, 1), true);
    assert.equal(await put(own, 2), true);
    own.updateConfig((keys) => keys.set('core', 'parent', parent.path));
    const { reopened } = await import('../repository/repository.fixture.ts');
    const child = reopened(t, own.path);
    assert.deepEqual(
      [await put(child, 1), await put(child, 2), await put(child, 3), await put(child, 3)],
      [false, false, true, false],
    );
    await inTransaction(child, ({ writer }) => {
      assert.equal(writer.putMetadata('dirtree', Buffer.from('00', 'hex')).isNew, true);
      assert.equal(writer.putMetadata('dirtree', Buffer.from('00', 'hex')).isNew, false);
      assert.equal(writer.reader.has(writer.putFile(file(), content(10, 4)).checksum, 'file'), true);
    });
  });

  it('leaves nothing open of a file whose header no object can have', async (t) => {
    const repository = newRepository(t, 'bare-user-only');
    await inTransaction(repository, ({ writer }) => {
      const descriptors = openDescriptors();
      assert.throws(() => writer.beginFile(file({ uid: -1 }), 1), { code: 'GVARIANT_VALUE' });
      assert.equal(openDescriptors(), descriptors);
    });
  });

  it('replaces detached metadata, which have no hash of their own', async (t) => {
    const repository = newRepository(t);
    const path = join(repository.path, 'objects', objectPath(A, 'commitmeta'));
    for (const text of ['one', 'two']) {
      await inTransaction(repository, ({ writer }) => writer.putNamedMetadata('commitmeta', A, Buffer.from(text)));
      assert.equal(fs.readFileSync(path, 'latin1'), text);
      assert.equal(fs.statSync(path).mode & 0o7777, 0o644);
    }
  });

  it('takes away the tombstone of a commit that comes back', async (t) => {
    const repository = newRepository(t);
    const path = join(repository.path, 'objects', objectPath(A, 'tombstone-commit'));
    await inTransaction(repository, ({ writer }) => writer.putNamedMetadata('tombstone-commit', A, Buffer.from('x')));
    assert.ok(fs.existsSync(path));
    await inTransaction(repository, ({ writer }) => writer.putNamedMetadata('commit', A, Buffer.from('x')));
    assert.ok(!fs.existsSync(path));
  });

  it('leaves nothing of a content that is not what was announced', async (t) => {
    const repository = newRepository(t);
    const descriptors = openDescriptors();
    await inTransaction(repository, ({ writer, place }) => {
      const staged = (): string[] => namesBelow(place.places[0]?.path ?? '').filter((name) => name.includes('.'));
      const short = writer.beginFile(file(), 10);
      short.write(content(9));
      assert.throws(() => short.finish(), { code: 'OBJECT_MALFORMED' });
      short.abort();
      const long = writer.beginFile(file(), 10);
      assert.throws(() => long.write(content(11)), { code: 'OBJECT_MALFORMED' });
      long.abort();
      const other = writer.beginFile(file(), 10);
      other.write(content(10));
      assert.throws(() => other.finish(A), { code: 'OBJECT_CORRUPT', subject: A });
      other.abort();
      other.abort();
      const unfinished = writer.beginFile(link('x'), 0);
      unfinished.abort();
      assert.deepEqual(staged(), []);
    });
    assert.deepEqual(
      namesBelow(join(repository.path, 'objects')).filter((name) => name.includes('.')),
      [],
    );
    assert.ok(openDescriptors() <= descriptors);
  });

  it('links a file that is just so, and says when it cannot', async (t) => {
    const [from, to] = [newRepository(t, 'bare-user-only'), newRepository(t, 'bare-user-only')];
    const { checksum } = await inTransaction(from, ({ writer }) => writer.putFile(file(), content(10)));
    const source = join(from.path, 'objects', objectPath(checksum, 'file'));
    await inTransaction(to, ({ writer }) => {
      assert.deepEqual([writer.linkFile(checksum, source), writer.linkFile(checksum, source)], [true, true]);
      assert.equal(writer.linkFile(A, '/proc/self/status'), false, 'another file system');
      assert.throws(() => writer.linkFile(A, join(from.path, 'none')), { code: 'ENOENT' });
    });
    const linked = join(to.path, 'objects', objectPath(checksum, 'file'));
    assert.equal(fs.statSync(linked).ino, fs.statSync(source).ino);
  });

  it('refuses metadata of more than 128 MiB', async (t) => {
    await inTransaction(newRepository(t), ({ writer }) => {
      const large = Buffer.alloc(128 * 2 ** 20 + 1);
      assert.throws(() => writer.putNamedMetadata('commitmeta', A, large), { code: 'TOO_LARGE' });
    });
  });
});
