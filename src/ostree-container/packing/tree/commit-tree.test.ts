import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collect } from '../../../base/bytes.ts';
import { encodeDirTree, objectsOf } from '../../../ostree/index.ts';
import { commitTreeOf, type MadeTree, newRepository, transact, treeOf } from '../packing.fixture.ts';
import { CommitTree } from './commit-tree.ts';

async function read(tree: CommitTree, path: string): Promise<string | undefined> {
  const stored = tree.open(path);
  if (stored === undefined) return undefined;
  try {
    return Buffer.from(await collect(stored.chunks(), 1000, path)).toString();
  } finally {
    stored.close();
  }
}

describe('the tree of a commit', () => {
  it('is seen as by a program that runs in it: links are followed, absolute ones from its own root', async (t) => {
    const tree = await commitTreeOf(
      newRepository(t),
      treeOf({
        'usr/bin/ls': 'ls',
        bin: { target: 'usr/bin' },
        'usr/lib/deep/link': { target: '../../../bin' },
        'usr/sbin': { target: '/bin' },
        'usr/bin/dir': { target: './../bin/ls' },
        'usr/up': { target: '/../../usr' },
      }),
    );
    for (const path of [
      '/bin/ls',
      '/usr/lib/deep/link/ls',
      '/usr/sbin/ls',
      'usr/bin//./ls',
      '/usr/up/bin/ls',
      '/bin/dir',
    ]) {
      assert.equal(await read(tree, path), 'ls', path);
    }
    assert.equal(tree.file('/usr/sbin/ls'), tree.file('/usr/bin/ls'));
    assert.notEqual(tree.file('/bin/dir'), tree.file('/bin/ls')); // the link itself
    assert.equal(tree.folder('/usr/lib/deep/link')?.path, '/usr/bin');
  });

  it('has /etc where OSTree keeps it, and /bin in /usr where the link is not in the tree', async (t) => {
    const tree = await commitTreeOf(newRepository(t), treeOf({ 'usr/etc/a': 'a', 'usr/bin/b': 'b', 'usr/var/c': 'c' }));
    assert.equal(await read(tree, '/etc/a'), 'a');
    assert.equal(await read(tree, '/bin/b'), 'b');
    assert.equal(await read(tree, '/var/c'), undefined);
    assert.equal(tree.folder('/lib64'), undefined);
  });

  it('leads nowhere by what is not there', async (t) => {
    const tree = await commitTreeOf(newRepository(t), treeOf({ 'a/file': 'x', 'a/gone': { target: 'nothing' } }));
    for (const path of [
      '',
      '/',
      '/a',
      '/a/',
      '/a/gone',
      '/a/file/x',
      '/a/other',
      '/a/file/',
      `/${'x/'.repeat(3000)}`,
      '/a/..',
    ]) {
      assert.equal(await read(tree, path), undefined, path.slice(0, 20));
    }
  });

  it('leads nowhere by links in a circle', async (t) => {
    const tree = await commitTreeOf(
      newRepository(t),
      treeOf({
        a: { target: 'b' },
        b: { target: 'a' },
        c: { target: 'c/c' },
        d: { target: '.' },
        e: { target: 'd/e/d/e' },
      }),
    );
    for (const path of ['/a', '/a/x', '/c', '/c/x', '/e/x', '/d/a']) assert.equal(tree.open(path), undefined, path);
    assert.equal(tree.folder('/d/d/d')?.path, '');
  });

  it('follows forty links of two thousand names each without a stack of its own', async (t) => {
    const long = (i: number): string => `l${i}${'/d'.repeat(2000)}`;
    const links = Object.fromEntries(Array.from({ length: 45 }, (_, i) => [`l${i}`, { target: long(i + 1) }]));
    const tree = await commitTreeOf(newRepository(t), treeOf({ ...links, l45: { target: '.' } }));
    assert.equal(tree.folder(`/${long(0)}`), undefined);
  });

  it('follows forty links, and no forty-first', async (t) => {
    const links = Array.from({ length: 41 }, (_, i) => [`l${i}`, { target: i === 40 ? 'end' : `l${i + 1}` }] as const);
    const tree = await commitTreeOf(newRepository(t), treeOf({ ...Object.fromEntries(links), 'end/file': 'x' }));
    assert.equal(tree.folder('/l1')?.path, '/end');
    assert.equal(tree.folder('/l0'), undefined);
  });

  it('gives up on paths without end', async (t) => {
    const tree = await commitTreeOf(newRepository(t), treeOf({ d: { target: './'.repeat(2000) } }));
    const everything = (): void => {
      for (let i = 0; i < 1000; i++) tree.folder(`/${'d/'.repeat(30)}${i}`);
    };
    assert.throws(everything, { code: 'TOO_LARGE' });
  });

  it('is walked once for each directory object, however often that is in it', async (t) => {
    const same = { inside: treeOf({ 'x/y/file': 'content' }) };
    const tree = await commitTreeOf(newRepository(t), { a: same, b: same, c: { inside: { d: same } } });
    assert.deepEqual(
      [...tree.walk()].map(({ path }) => path),
      ['', '/a', '/a/x', '/a/x/y', '/c'],
    );
  });

  it('may have more folders in one than a call has arguments', async (t) => {
    const repository = newRepository(t);
    const rootTree = await transact(repository, ({ writer }) => {
      const empty = writer.putMetadata('dirtree', encodeDirTree({ files: [], directories: [] })).checksum;
      const names = Array.from({ length: 150_000 }, (_, i) => String(i).padStart(6, '0'));
      const directories = names.map((name) => ({ name, tree: empty, meta: empty }));
      return writer.putMetadata('dirtree', encodeDirTree({ files: [], directories })).checksum;
    });
    const tree = new CommitTree(objectsOf(repository), { rootTree });
    assert.deepEqual(
      [...tree.walk()].map(({ path }) => path),
      ['', '/000000'],
    );
  });

  it('is not walked down paths of more than 65 536 characters', async (t) => {
    let inside: MadeTree = { file: { content: 'x' } };
    for (let depth = 0; depth < 260; depth++) inside = { ['n'.repeat(255)]: { inside } };
    const tree = await commitTreeOf(newRepository(t), inside);
    assert.throws(() => [...tree.walk()], { code: 'TOO_LARGE' });
  });
});
