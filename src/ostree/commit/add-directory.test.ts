import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { unpackVector, vectorManifest } from '../../../test/support/ostree-vectors.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { storeFile } from '../jobs/store-files.ts';
import type { RepositoryMode } from '../repository/config.ts';
import type { Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { type AddOptions, addDirectory } from './add-directory.ts';
import { CheckedOut } from './checked-out.ts';
import { emptyRepository, listed, signal, transact } from './commit.fixture.ts';
import { type ModifierOptions, modifiersFor } from './modifiers.ts';
import { MutableTree } from './mutable-tree.ts';
import { Tally } from './tally.ts';

/** A tree with the files that these paths name; what ends in `/` is a directory. */
function filesIn(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = join(scratch(t), 'tree');
  fs.mkdirSync(root, { mode: 0o755 });
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split('/').slice(0, -1).join('/');
    fs.mkdirSync(join(root, parts), { recursive: true });
    if (!path.endsWith('/')) fs.writeFileSync(join(root, path), content);
  }
  return root;
}

async function added(repository: Repository, path: string, options: Partial<AddOptions & ModifierOptions> = {}) {
  const modifiers = modifiersFor(repository, options);
  return transact(repository, async (transaction) => {
    const tree = MutableTree.empty();
    await addDirectory(transaction, tree, path, modifiers, { signal, ...options });
    return { tree, ...tree.write(transaction.writer) };
  });
}

describe('a directory that is committed', () => {
  const modes: readonly RepositoryMode[] = ['archive', 'bare', 'bare-user'];
  for (const mode of modes) {
    it(`gives the tree of the vectors in mode ${mode}`, { skip: needs('root') }, async (t) => {
      const { rootTree, rootMeta } = await added(emptyRepository(t, mode), unpackVector(t, 'tree-v1'));
      const [first] = Object.values(vectorManifest().commits);
      assert.deepEqual([rootTree, rootMeta], [first?.root_dirtree, first?.root_dirmeta]);
    });
  }
  it('gives canonical attributes in mode bare-user-only', { skip: needs('root') }, async (t) => {
    const { rootTree } = await added(emptyRepository(t, 'bare-user-only'), unpackVector(t, 'tree-v1'));
    const only = Object.values(vectorManifest().commits).find(({ subject }) => subject === 'User only alpha');
    assert.equal(rootTree, only?.root_dirtree);
  });
  it('is the same with threads and without', async (t) => {
    const files = Object.fromEntries(Array.from({ length: 2500 }, (_, i) => [`${i % 60}/${i}`, `${i % 700}`]));
    const path = filesIn(t, { ...files, 'large/file': 'x'.repeat(9 * 2 ** 20) });
    const { rootTree } = await added(emptyRepository(t), path, { threads: 0 });
    const repository = emptyRepository(t, 'bare-user');
    const { rootTree: other } = await added(repository, path, { threads: 2 });
    assert.equal(rootTree, other);
  });
  it('reads a file once that has several names', async (t) => {
    const path = filesIn(t, { 'a/x': 'one', 'b/': '', y: 'two' });
    fs.linkSync(join(path, 'a/x'), join(path, 'b/x'));
    fs.linkSync(join(path, 'a/x'), join(path, 'z'));
    const tally = new Tally();
    const { tree } = await added(emptyRepository(t), path, { tally });
    const names = listed(tree);
    assert.equal(names['a/x'], names['b/x']);
    assert.equal(names['a/x'], names['z']);
    assert.notEqual(names['a/x'], names['y']);
    assert.deepEqual([tally.statistics.contentTotal, tally.statistics.contentWritten], [4, 2]);
  });
  it('leaves out what is listed, also what could not be committed', async (t) => {
    const path = filesIn(t, { 'a/b': '1', 'c/d': '2', e: '3' });
    execFileSync('mkfifo', [join(path, 'fifo')]);
    const { tree } = await added(emptyRepository(t), path, { skip: new Set(['/a', '/fifo', '/e']) });
    assert.deepEqual(Object.keys(listed(tree)), ['c/', 'c/d']);
  });
  it('may hold a link that leads nowhere', async (t) => {
    const path = filesIn(t, {});
    fs.symlinkSync('/no/where', join(path, 'link'));
    const repository = emptyRepository(t);
    const { tree } = await added(repository, path);
    const stored = objectsOf(repository).file(listed(tree)['link'] ?? '');
    stored.close();
    assert.deepEqual([stored.header.target, stored.header.mode], ['/no/where', 0o120777]);
  });
  it('may not hold a fifo or a socket', async (t) => {
    const path = filesIn(t, { 'a/b': '' });
    execFileSync('mkfifo', [join(path, 'a/fifo')]);
    await assert.rejects(added(emptyRepository(t), path), { code: 'FILE_TYPE', subject: '/a/fifo' });
    fs.unlinkSync(join(path, 'a/fifo'));
    const server = createServer().listen(join(path, 'a/s'));
    t.after(() => server.close());
    await assert.rejects(added(emptyRepository(t), path), { code: 'FILE_TYPE', subject: '/a/s' });
  });
  it('may not hold names and targets that are not UTF-8, but a real U+FFFD', async (t) => {
    const path = filesIn(t, { 'a\ufffd': '' });
    assert.deepEqual(Object.keys(listed((await added(emptyRepository(t), path)).tree)), ['a\ufffd']);
    fs.symlinkSync(Buffer.from([0xff]), join(path, 'link'));
    await assert.rejects(added(emptyRepository(t), path), { code: 'FILE_NAME', subject: '/link' });
    fs.unlinkSync(join(path, 'link'));
    fs.writeFileSync(Buffer.concat([Buffer.from(`${path}/b`), Buffer.from([0xff])]), '');
    await assert.rejects(added(emptyRepository(t), path), { code: 'FILE_NAME', subject: '/b\u00ff' });
  });
  it('may not be a file, or be missing', async (t) => {
    const path = filesIn(t, { a: '' });
    await assert.rejects(added(emptyRepository(t), join(path, 'a')), { code: 'NOT_A_DIRECTORY' });
    await assert.rejects(added(emptyRepository(t), join(path, 'b')), { code: 'ENOENT' });
  });
  it('leaves no descriptor open, whether it works or not', async (t) => {
    const open = (): number => fs.readdirSync('/proc/self/fd').length;
    const path = filesIn(t, Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i % 150}/${i}`, `${i}`])));
    const repository = emptyRepository(t);
    await added(repository, path);
    const before = open();
    await added(repository, path);
    execFileSync('mkfifo', [join(path, '99/z')]);
    await assert.rejects(added(repository, path), { code: 'FILE_TYPE' });
    assert.equal(open(), before);
  });
  it('ends when it is told to', async (t) => {
    const path = filesIn(t, { a: '' });
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await assert.rejects(added(emptyRepository(t), path, { signal: controller.signal }), /enough/);
  });
});

describe('a file that changes while it is read', () => {
  it('is an error, not half a file', async (t) => {
    const path = join(filesIn(t, { a: 'four' }), 'a');
    const { ino, mtimeMs, mode } = fs.statSync(path);
    const header = { uid: 0, gid: 0, mode, target: undefined, xattrs: [] };
    const expected = { ino, mtimeMs };
    await transact(emptyRepository(t), async ({ writer }) => {
      const store = (size: number, identity = expected) =>
        storeFile(writer, { header, size, source: { kind: 'path', path, expected: identity }, name: '/a' });
      assert.equal(store(4).size, 4);
      for (const size of [3, 5, 0]) assert.throws(() => store(size), { code: 'FILE_CHANGED', subject: '/a' });
      assert.throws(() => store(4, { ino, mtimeMs: mtimeMs + 1 }), { code: 'FILE_CHANGED' });
      assert.throws(() => store(4, { ino: ino + 1, mtimeMs }), { code: 'FILE_CHANGED' });
    });
  });
});

describe('files that are hard links to objects', () => {
  it('are known without being read, until they are written to', async (t) => {
    const repository = emptyRepository(t, 'bare-user');
    const { tree } = await added(repository, filesIn(t, { a: 'one', b: 'two' }));
    const path = filesIn(t, {});
    for (const [name, checksum] of Object.entries(listed(tree))) {
      const object = objectsOf(repository).find(checksum, 'file');
      fs.linkSync(object?.path ?? '', join(path, name));
    }
    const tally = new Tally();
    const again = await added(repository, path, { tally, checkedOut: CheckedOut.of(repository) });
    assert.deepEqual(listed(again.tree), listed(tree));
    assert.deepEqual([tally.statistics.contentCacheHits, tally.statistics.contentTotal], [2, 2]);
    fs.writeFileSync(join(path, 'a'), 'eno');
    const damaged = await added(repository, path, { checkedOut: CheckedOut.of(repository) });
    assert.notEqual(listed(damaged.tree)['a'], listed(tree)['a']);
  });
  it('are stored anew when a modifier changes them, unless they are trusted', async (t) => {
    const repository = emptyRepository(t, 'bare-user');
    const { tree } = await added(repository, filesIn(t, { a: 'one' }));
    const before = listed(tree)['a'] ?? '';
    const path = filesIn(t, {});
    fs.linkSync(objectsOf(repository).find(before, 'file')?.path ?? '', join(path, 'a'));
    const owned = { ownerUid: 77 };
    const changed = await added(repository, path, { ...owned, checkedOut: CheckedOut.of(repository) });
    const stored = objectsOf(repository).file(listed(changed.tree)['a'] ?? '');
    assert.deepEqual(
      [stored.header.uid, stored.header.xattrs, Buffer.from(stored.bytes()).toString()],
      [77, [], 'one'],
    );
    stored.close();
    const trusted = await added(repository, path, { ...owned, checkedOut: CheckedOut.of(repository, true) });
    assert.equal(listed(trusted.tree)['a'], before);
  });
});
