import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { array, lookup, openVariant, string, variantOf } from '../../gvariant/index.ts';
import { encodeDirMeta } from '../objects/dirmeta.ts';
import { encodeDirTree } from '../objects/dirtree.ts';
import { decodeSizes } from '../objects/sizes.ts';
import { markPartial } from '../repository/partial.ts';
import { HEAD, readRef } from '../repository/refs.ts';
import { createRepository, openRepository, type Repository } from '../repository/repository.ts';
import { objectsOf } from '../storage/object-reader.ts';
import { emptyRepository, listed, signal, transact } from './commit.fixture.ts';
import { type CommitRequest, commitTrees } from './commit.ts';
import { PLAIN_DIRECTORY } from './modifiers.ts';
import { MutableTree } from './mutable-tree.ts';
import { writeCommit } from './write-commit.ts';

function treeOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = join(scratch(t), 'tree');
  for (const [path, content] of Object.entries(files)) {
    fs.mkdirSync(join(root, path, '..'), { recursive: true });
    fs.writeFileSync(join(root, path), content);
  }
  return root;
}

const commit = (repository: Repository, path: string, request: Partial<CommitRequest> & { base?: string } = {}) =>
  commitTrees(
    repository,
    { trees: [{ kind: 'directory', path }], timestamp: 5, bindRefs: [], ...request },
    { signal, fsync: false, base: request.base },
  );

/** A commit of directories below each other, as no program makes it. */
function deepCommit(repository: Repository, depth: number): Promise<string> {
  return transact(repository, async ({ writer }) => {
    const rootMeta = writer.putMetadata('dirmeta', encodeDirMeta(PLAIN_DIRECTORY)).checksum;
    let tree = writer.putMetadata('dirtree', encodeDirTree({ files: [], directories: [] })).checksum;
    for (let i = 0; i < depth; i++) {
      const directories = [{ name: 'd', tree, meta: rootMeta }];
      tree = writer.putMetadata('dirtree', encodeDirTree({ files: [], directories })).checksum;
    }
    return writeCommit(writer, { rootTree: tree, rootMeta }, { timestamp: 5 });
  });
}

const text = (value: string) => variantOf(string, value);

describe('a commit of trees', () => {
  it('sets its branch, and has what the branch was as its parent', async (t) => {
    const repository = emptyRepository(t);
    const path = treeOf(t, { a: '1' });
    const first = await commit(repository, path, { branch: 'os/main', subject: 's', body: 'b' });
    assert.equal(readRef(repository, HEAD, 'os/main'), first.commit);
    const second = await commit(repository, path, { branch: 'os/main' });
    const read = objectsOf(repository).commit(second.commit);
    assert.deepEqual([first.parent, second.parent, read.parent], [undefined, first.commit, first.commit]);
    const before = objectsOf(repository).commit(first.commit);
    assert.deepEqual([before.subject, before.body, before.timestamp], ['s', 'b', 5]);
    const other = await commit(repository, path, { parent: 'os/main' });
    assert.equal(other.parent, second.commit);
    assert.equal(readRef(repository, HEAD, 'os/main'), second.commit);
    assert.equal((await commit(repository, path, { branch: 'os/main', parent: 'none' })).parent, undefined);
  });
  it('has the metadata of the user first, then kept ones, then bindings, then sizes', async (t) => {
    const repository = emptyRepository(t);
    const path = treeOf(t, { a: '1' });
    await commit(repository, path, { branch: 'm', metadata: [['kept', text('k')]] });
    const { commit: checksum } = await commit(repository, path, {
      branch: 'm',
      metadata: [
        ['z', text('1')],
        ['a', text('2')],
      ],
      keepMetadata: ['kept'],
      bindRefs: ['z/other', 'a', 'm'],
      sizes: true,
    });
    const { metadata } = objectsOf(repository).commit(checksum);
    assert.deepEqual(
      metadata.map(([key]) => key),
      ['z', 'a', 'kept', 'ostree.ref-binding', 'ostree.sizes'],
    );
    assert.deepEqual(lookup(metadata, 'ostree.ref-binding', array(string)), ['a', 'm', 'z/other']);
    const sizes = decodeSizes(metadata.at(-1)?.[1] ?? text(''));
    assert.deepEqual(sizes?.map(({ type }) => type).sort(), ['dirmeta', 'dirtree', 'file']);
  });
  it('is bound to the collection of its repository, unless it is bound to nothing', async (t) => {
    const path = join(scratch(t), 'repo');
    createRepository(path, { mode: 'archive', collectionId: 'org.example.Os' });
    const repository = openRepository(path);
    t.after(() => repository.close());
    const tree = treeOf(t, { a: '1' });
    const keys = async (request: Partial<CommitRequest>) =>
      objectsOf(repository)
        .commit((await commit(repository, tree, request)).commit)
        .metadata.map(([key]) => key);
    assert.deepEqual(await keys({ branch: 'm' }), ['ostree.ref-binding', 'ostree.collection-binding']);
    assert.deepEqual(await keys({ branch: 'n', bindRefs: undefined }), []);
  });
  it('refuses metadata that say two things under one name, or keep what is not there', async (t) => {
    const repository = emptyRepository(t);
    const path = treeOf(t, { a: '1' });
    const twice = {
      metadata: [
        ['k', text('1')],
        ['k', text('2')],
      ],
    } as const;
    await assert.rejects(commit(repository, path, twice), { code: 'OBJECT_MALFORMED', subject: 'k' });
    await assert.rejects(commit(repository, path, { metadata: [['', text('1')]] }), { code: 'OBJECT_MALFORMED' });
    await assert.rejects(commit(repository, path, { keepMetadata: ['k'] }), { code: 'PATH_MISSING' });
    await commit(repository, path, { branch: 'm' });
    await assert.rejects(commit(repository, path, { branch: 'm', keepMetadata: ['k'] }), { code: 'PATH_MISSING' });
  });
  it('is not made when nothing has changed and nobody wants it', async (t) => {
    const repository = emptyRepository(t);
    const path = treeOf(t, { a: '1' });
    const wanted = { branch: 'm', skipIfUnchanged: true };
    const first = await commit(repository, path, wanted);
    const second = await commit(repository, path, { ...wanted, subject: 'other' });
    assert.deepEqual([first.isUnchanged, second.isUnchanged, second.commit], [false, true, first.commit]);
    fs.writeFileSync(join(path, 'a'), '2');
    assert.equal((await commit(repository, path, wanted)).isUnchanged, false);
  });
  it('lays trees over each other, directories and commits, below a prefix when there is one', async (t) => {
    const repository = emptyRepository(t);
    await commit(repository, treeOf(t, { 'd/x': '1', 'd/y': '1' }), { branch: 'one' });
    const path = treeOf(t, { 'd/y': '2', z: '2' });
    const { root } = await commit(repository, path, {
      trees: [
        { kind: 'commit', revision: 'one' },
        { kind: 'directory', path },
        { kind: 'prefix', path: '/p/q' },
        { kind: 'directory', path },
      ],
    });
    const names = listed(MutableTree.of(objectsOf(repository), root));
    assert.deepEqual(Object.keys(names), ['d/', 'd/x', 'd/y', 'p/', 'p/q/', 'p/q/d/', 'p/q/d/y', 'p/q/z', 'z']);
    assert.equal(names['d/y'], names['p/q/d/y']);
  });
  it('changes what comes from another commit, but not what it is based on', async (t) => {
    const repository = emptyRepository(t);
    const { commit: one } = await commit(repository, treeOf(t, { 'd/x': 'content' }), { modifiers: { ownerUid: 1 } });
    const modifiers = { ownerUid: 9 };
    const owner = async (request: Partial<CommitRequest> & { base?: string }): Promise<readonly number[]> => {
      const { root } = await commit(repository, '', { modifiers, ...request });
      const reader = objectsOf(repository);
      const tree = MutableTree.of(reader, root);
      const stored = reader.file(listed(tree)['d/x'] ?? '');
      stored.close();
      return [reader.dirMeta(tree.directory(['d'])?.meta ?? '').uid, stored.header.uid, stored.size];
    };
    assert.deepEqual(await owner({ trees: [{ kind: 'commit', revision: one }] }), [9, 9, 7]);
    assert.deepEqual(await owner({ trees: [], base: one }), [1, 1, 7]);
  });
  it('may have a parent that is not here, as long as nothing is asked of it', async (t) => {
    const repository = emptyRepository(t);
    const path = treeOf(t, { a: '1' });
    const parent = 'a'.repeat(64);
    const made = await commit(repository, path, { parent, skipIfUnchanged: true });
    assert.deepEqual([made.isUnchanged, objectsOf(repository).commit(made.commit).parent], [false, parent]);
    await assert.rejects(commit(repository, path, { parent, keepMetadata: ['version'] }), { code: 'PATH_MISSING' });
  });
  it('refuses commits with directories deeper than any path, which others may have made', async (t) => {
    const repository = emptyRepository(t);
    const deep = await deepCommit(repository, 20_000);
    const trees = [{ kind: 'commit', revision: deep }] as const;
    await assert.rejects(commit(repository, '', { trees, modifiers: { ownerUid: 9 } }), { code: 'TOO_LARGE' });
    await assert.rejects(commit(repository, '', { trees: [...trees, ...trees] }), { code: 'TOO_LARGE' });
  });
  it('ends when it is interrupted while files of another commit are stored anew', async (t) => {
    const repository = emptyRepository(t);
    const files = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`f${i}`, `${i}`]));
    const { commit: one } = await commit(repository, treeOf(t, files));
    const abort = new AbortController();
    const request = {
      trees: [{ kind: 'commit', revision: one }] as const,
      modifiers: { ownerUid: 9 },
      timestamp: 5,
    };
    const running = commitTrees(repository, request, { signal: abort.signal, fsync: false });
    setTimeout(() => abort.abort(new Error('enough')), 0);
    await assert.rejects(running, /enough/);
  });
  it('takes nothing from a commit whose objects may be missing', async (t) => {
    const repository = emptyRepository(t);
    const { commit: one } = await commit(repository, treeOf(t, { a: '1' }));
    markPartial(repository, one, '');
    const trees = [{ kind: 'commit', revision: one }] as const;
    await assert.rejects(commit(repository, '', { trees }), { code: 'COMMIT_PARTIAL' });
    await assert.rejects(commit(repository, '', { trees: [], base: one }), { code: 'COMMIT_PARTIAL' });
    await assert.rejects(commit(repository, '', { trees: [] }), { code: 'PATH_MISSING' });
  });
  it('records the kernel when it is bootable, and needs exactly one', async (t) => {
    const repository = emptyRepository(t);
    const path = treeOf(t, { 'usr/lib/modules/6.1/vmlinuz': '', 'usr/lib/modules/6.0/modules.dep': '' });
    const { commit: checksum } = await commit(repository, path, { bootable: true });
    const { metadata } = objectsOf(repository).commit(checksum);
    assert.deepEqual(
      metadata.slice(0, 2).map(([key]) => key),
      ['ostree.linux', 'ostree.bootable'],
    );
    assert.equal(metadata[0] && openVariant(metadata[0][1], string), '6.1');
    fs.writeFileSync(join(path, 'usr/lib/modules/6.0/vmlinuz'), '');
    await assert.rejects(commit(repository, path, { bootable: true }), { code: 'TARGET_EXISTS' });
    await assert.rejects(commit(repository, treeOf(t, { a: '' }), { bootable: true }), { code: 'PATH_MISSING' });
  });
  it('keeps detached metadata that are there', async (t) => {
    const repository = emptyRepository(t);
    const path = treeOf(t, { a: '1' });
    const { commit: one } = await commit(repository, path, {
      detachedMetadata: [
        ['a', text('1')],
        ['b', text('1')],
      ],
    });
    await commit(repository, path, { detachedMetadata: [['b', text('2')]] });
    const detached = objectsOf(repository).detached(one);
    assert.deepEqual([lookup(detached, 'a', string), lookup(detached, 'b', string)], ['1', '2']);
  });
  it('leaves everything as it was when it fails', async (t) => {
    const repository = emptyRepository(t);
    const path = treeOf(t, { a: '1' });
    const { commit: one } = await commit(repository, path, { branch: 'm' });
    const statOverrides = new Map([['/nope', { kind: 'add', bits: 1 } as const]]);
    fs.writeFileSync(join(path, 'b'), '2');
    await assert.rejects(commit(repository, path, { branch: 'm', modifiers: { statOverrides } }), {
      code: 'PATH_MISSING',
    });
    assert.equal(readRef(repository, HEAD, 'm'), one);
    assert.equal((await commit(repository, path, { branch: 'm' })).parent, one);
  });
});
