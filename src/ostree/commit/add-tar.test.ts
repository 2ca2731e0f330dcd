import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scratch } from '../../../test/support/scratch.ts';
import { TarWriter, type TarWriterEntry } from '../../tar/index.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { type AddTarOptions, addTar, type TarSource } from './add-tar.ts';
import { emptyRepository, listed, signal, transact } from './commit.fixture.ts';
import { type ModifierOptions, modifiersFor } from './modifiers.ts';
import { MutableTree } from './mutable-tree.ts';
import { pathnameFilter } from './pathname-filter.ts';

type Entry = Partial<TarWriterEntry> & { readonly path: string; readonly data?: string };

const folder = (path: string, mode = 0o755): Entry => ({ path, type: 'directory', mode });
const file = (path: string, data: string): Entry => ({ path, data });
const hardlink = (path: string, linkTarget: string): Entry => ({ path, type: 'hardlink', linkTarget });

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const writer = new TarWriter((chunk) => void chunks.push(Buffer.from(chunk)));
  for (const { data, ...entry } of entries) {
    const content = data === undefined ? undefined : Buffer.from(data);
    await writer.add({ type: 'file', mode: 0o644, uid: 0, gid: 0, ...entry }, content);
  }
  await writer.finish();
  return Buffer.concat(chunks);
}

type Options = Partial<AddTarOptions & ModifierOptions>;

/** The tree of an archive, and the content of one of its files. */
async function imported(t: TestContext, source: TarSource, options: Options = {}) {
  const repository = emptyRepository(t);
  const tree = await transact(repository, async (transaction) => {
    const root = MutableTree.empty();
    await addTar(transaction, root, source, modifiersFor(repository, options), { signal, ...options });
    return root;
  });
  const content = (path: string): string => {
    const stored = objectsOf(repository).file(listed(tree)[path] ?? '');
    try {
      return Buffer.from(stored.bytes()).toString();
    } finally {
      stored.close();
    }
  };
  return { tree, names: listed(tree), content, repository };
}

function inFile(t: TestContext, bytes: Uint8Array): TarSource {
  const path = join(scratch(t), 'a.tar');
  fs.writeFileSync(path, bytes);
  return { kind: 'path', path };
}

function inStream(bytes: Uint8Array): TarSource {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 700) yield Buffer.from(bytes.subarray(at, at + 700));
  }
  return { kind: 'stream', stream: chunks(), name: 'stream' };
}

const both = async (t: TestContext, entries: readonly Entry[], options?: Options) => {
  const bytes = await tarOf(entries);
  const first = await imported(t, inFile(t, bytes), options);
  const second = await imported(t, inStream(bytes), options);
  assert.deepEqual(second.names, first.names);
  return first;
};

const refused = async (t: TestContext, entries: readonly Entry[], expected: object, options?: Options) => {
  const bytes = await tarOf(entries);
  await assert.rejects(imported(t, inFile(t, bytes), options), expected);
  await assert.rejects(imported(t, inStream(bytes), options), expected);
};

describe('an archive that is committed', () => {
  it('gives the same tree from a file, a stream, and compressed', async (t) => {
    const entries = [
      folder('./'),
      folder('./d', 0o1777),
      file('./d/f', 'x'.repeat(3000)),
      file('./large', 'y'.repeat(2 ** 20)),
    ];
    const { names } = await both(t, entries);
    const packed = await imported(t, inFile(t, gzipSync(await tarOf(entries))));
    assert.deepEqual(packed.names, names);
    assert.deepEqual(Object.keys(names), ['d/', 'd/f', 'large']);
  });
  it('is stored piece by piece when a file is large', async (t) => {
    const entries = [folder('.'), file('large', 'z'.repeat(9 * 2 ** 20))];
    const { names } = await both(t, entries);
    assert.deepEqual(Object.keys(names), ['large']);
  });
  it('has the content that comes last under a name', async (t) => {
    const { content } = await both(t, [folder('.'), file('a', 'one'), file('a', 'two'), file('./a', 'three')]);
    assert.equal(content('a'), 'three');
  });
  it('has hard links to what is there before them', async (t) => {
    const entries = [
      folder('.'),
      file('a', 'one'),
      hardlink('b', './a'),
      file('a', 'two'),
      hardlink('c', 'a'),
      hardlink('d', 'b'),
    ];
    const { names, content } = await both(t, entries);
    assert.deepEqual([content('a'), content('b'), content('c'), content('d')], ['two', 'one', 'two', 'one']);
    assert.equal(names['b'], names['d']);
    await refused(t, [folder('.'), hardlink('b', 'a'), file('a', '')], { code: 'PATH_MISSING', subject: '/b' });
    await refused(t, [folder('.'), folder('d'), hardlink('b', 'd')], { code: 'PATH_MISSING' });
  });
  it('needs an entry for each directory, or leave to make them', async (t) => {
    await refused(t, [folder('.'), file('a/b/c', '')], { code: 'PATH_MISSING', subject: '/a' });
    const { tree } = await both(t, [file('a/b/c', '')], { autocreateParents: true, ownerUid: 7 });
    const meta = '446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488';
    assert.deepEqual([tree.meta, tree.directory(['a', 'b'])?.meta], [meta, meta]);
    const owned = await both(
      t,
      [
        { ...file('a/b', ''), uid: 5 },
        { ...file('a/c', ''), uid: 6 },
      ],
      { autocreateParents: true },
    );
    assert.equal(objectsOf(owned.repository).dirMeta(owned.tree.directory(['a'])?.meta ?? '').uid, 5);
    const later = await both(t, [file('a/c', ''), folder('a', 0o700)], { autocreateParents: true });
    assert.notEqual(later.tree.directory(['a'])?.meta, meta);
  });
  it('may not hold devices and fifos, unless they are left out', async (t) => {
    const fifo: Entry = { path: 'fifo', type: 'fifo' };
    const device: Entry = { path: 'd', type: 'character', device: { major: 1, minor: 3 } };
    await refused(t, [folder('.'), fifo], { code: 'FILE_TYPE', subject: '/fifo' });
    await refused(t, [folder('.'), device], { code: 'FILE_TYPE', subject: '/d' });
    const { names } = await both(t, [folder('.'), fifo, folder('x'), file('x/y', ''), device], {
      skip: new Set(['/fifo', '/d', '/x']),
    });
    assert.deepEqual(names, {});
  });
  it('does not put a file in the place of a directory, or the reverse', async (t) => {
    await refused(t, [folder('.'), folder('a'), file('a', '')], { code: 'TARGET_EXISTS' });
    await refused(t, [folder('.'), file('a', ''), folder('a')], { code: 'TARGET_EXISTS' });
    await refused(
      t,
      [folder('.'), file('a', ''), file('a/b', '')],
      { code: 'TARGET_EXISTS' },
      { autocreateParents: true },
    );
  });
  it('does not lead out of the tree', async (t) => {
    await refused(t, [folder('.'), file('../a', '')], { code: 'TAR_PATH' });
    await refused(t, [folder('.'), file('a', ''), hardlink('b', '../a')], { code: 'TAR_PATH' });
    const { names } = await both(t, [folder('/'), file('/etc', '')]);
    assert.deepEqual(Object.keys(names), ['etc']);
  });
  it('is changed by modifiers, and keeps no empty attributes', async (t) => {
    const xattrs = [['user.a', Buffer.from('1')] as const, ['user.b', Buffer.alloc(0)] as const];
    const { names, repository } = await both(t, [folder('.'), { ...file('a', ''), uid: 5, gid: 6, xattrs }], {
      ownerUid: 9,
    });
    const stored = objectsOf(repository).file(names['a'] ?? '');
    stored.close();
    assert.deepEqual([stored.header.uid, stored.header.gid], [9, 6]);
    assert.deepEqual(stored.header.xattrs, [[Buffer.from('user.a'), Buffer.from('1')]]);
  });
  it('has names as the filter gives them, in hard links too', async (t) => {
    const rename = pathnameFilter('^(usr/)?bin/(.*),sbin/\\2-$x');
    const entries = [folder('.'), folder('sbin'), file('bin/a', '1'), hardlink('usr/bin/b', 'bin/a')];
    const { names } = await both(t, entries, { rename });
    assert.deepEqual(Object.keys(names), ['sbin/', 'sbin/a-$x', 'sbin/b-$x']);
    assert.throws(() => pathnameFilter('abc'), SyntaxError);
    assert.throws(() => pathnameFilter('(,x'), SyntaxError);
  });
  it('that is cut off, or none at all, is an error', async (t) => {
    const bytes = await tarOf([folder('.'), file('a', 'x'.repeat(600))]);
    await assert.rejects(imported(t, inFile(t, bytes.subarray(0, 1500))), { code: 'TAR_TRUNCATED' });
    await assert.rejects(imported(t, inStream(bytes.subarray(0, 1500))), { code: 'TAR_TRUNCATED' });
    await assert.rejects(imported(t, inFile(t, Buffer.alloc(5000, 'x'))), { code: 'TAR_MALFORMED' });
  });
});
