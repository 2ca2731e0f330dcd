import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { scratch } from '../../../test/support/scratch.ts';
import { commitTrees, createRepository, objectsOf, openRepository } from '../../ostree/index.ts';
import { TreeFiles, wholeContent } from './tree-files.ts';

type Test = Parameters<typeof scratch>[0];

/** Links begin with "->". */
async function treeOf(t: Test, files: Readonly<Record<string, string>>): Promise<TreeFiles> {
  const folder = scratch(t);
  const tree = join(folder, 'tree');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(tree, dirname(path)), { recursive: true });
    if (content.startsWith('->')) symlinkSync(content.slice(2), join(tree, path));
    else writeFileSync(join(tree, path), content);
  }
  const path = join(folder, 'repo');
  createRepository(path, { mode: 'archive' });
  const repository = openRepository(path);
  t.after(() => repository.close());
  const request = { trees: [{ kind: 'directory' as const, path: tree }], branch: 'os', timestamp: 0 };
  const { commit } = await commitTrees(repository, request, { signal: new AbortController().signal, fsync: false });
  const reader = objectsOf(repository);
  return new TreeFiles(reader, reader.commit(commit));
}

describe('a file of a tree', () => {
  const files = {
    'usr/lib/a': 'content',
    lib: '->usr/lib',
    'usr/lib/absolute': '->/lib/a',
    'usr/lib/relative': '->../../../../lib/./a',
    'usr/lib/loop': '->loop',
    'usr/lib/nowhere': '->nothing',
    'usr/etc/alternatives/a': '->/lib/a',
    'usr/lib/alternative': '->/etc/alternatives/a',
  };

  it('is found through links, as in a container of that tree', async (t) => {
    const tree = await treeOf(t, files);
    for (const path of [
      '/usr/lib/a',
      '/lib/a',
      '/lib/absolute',
      '/usr/lib/relative',
      '/lib//./alternative',
      '/../lib/a',
    ]) {
      const file = tree.open(path);
      assert.ok(file, path);
      assert.equal(Buffer.from((await wholeContent(file, 100)) ?? []).toString(), 'content', path);
    }
  });

  it('is none at the end of a loop, of nothing, of a folder, or behind a file', async (t) => {
    const tree = await treeOf(t, files);
    for (const path of ['/lib/loop', '/lib/nowhere', '/lib', '/usr/lib', '/lib/a/b', '/lib/absolute/b', '/', '']) {
      assert.equal(tree.open(path), undefined, path);
    }
  });

  it('is not read when it is larger than it may be', async (t) => {
    const tree = await treeOf(t, files);
    const file = tree.open('/lib/a');
    assert.ok(file);
    assert.equal(await wholeContent(file, 6), undefined);
  });
});
