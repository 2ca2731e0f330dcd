import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Difference, diffTrees, type Folder } from './diff-trees.ts';

/** `{ a: 'content', d: { ... } }`; attributes of directories are all equal unless there is a name ''. */
interface Tree {
  readonly [name: string]: string | Tree;
}

function folder(tree: Tree, contents?: string): Folder {
  return {
    contents,
    list: () =>
      Object.entries(tree)
        .filter(([name]) => name !== '')
        .map(([name, held]) => ({
          name,
          isDirectory: typeof held !== 'string',
          checksum: () => (typeof held === 'string' ? held : String(held[''] ?? 'plain')),
          open: () => folder(typeof held === 'string' ? {} : held),
        })),
  };
}

const shown = (found: readonly Difference[]): string[] => found.map(({ change, path }) => `${change} ${path}`);

describe('the difference of two trees', () => {
  it('is modified, then removed, then added, each in the order of the trees', () => {
    const before = { gone: '1', same: '1', changed: '1', d: { inner: '1', old: '1' } };
    const after = { new: '1', same: '1', changed: '2', d: { inner: '2', fresh: '1' } };
    assert.deepEqual(shown(diffTrees(folder(before), folder(after))), [
      'modified changed',
      'modified d/inner',
      'removed gone',
      'removed d/old',
      'added d/fresh',
      'added new',
    ]);
  });
  it('names a removed directory alone, and everything in an added one', () => {
    const found = diffTrees(folder({ old: { deep: { er: '1' } } }), folder({ new: { deep: { er: '1' } } }));
    assert.deepEqual(shown(found), ['removed old', 'added new', 'added new/deep', 'added new/deep/er']);
  });
  it('does not look into what became a file, or was one', () => {
    const found = diffTrees(folder({ a: { inner: '1' }, b: '1' }), folder({ a: '1', b: { inner: '1' } }));
    assert.deepEqual(shown(found), ['modified a', 'modified b']);
  });
  it('has a directory whose attributes changed, and goes on in it', () => {
    const found = diffTrees(folder({ d: { '': 'old', a: '1' } }), folder({ d: { '': 'new', a: '2' } }));
    assert.deepEqual(shown(found), ['modified d', 'modified d/a']);
  });
  it('is not looked for where the contents are known to be equal', () => {
    assert.deepEqual(diffTrees(folder({ a: '1' }, 'same'), folder({ b: '1' }, 'same')), []);
  });
  it('ends at 2048 directories below each other', () => {
    const endless: Folder = {
      contents: undefined,
      list: () => [{ name: 'd', isDirectory: true, checksum: () => 'plain', open: () => endless }],
    };
    assert.throws(() => diffTrees(endless, endless), { code: 'TOO_LARGE' });
    assert.throws(() => diffTrees(folder({}), endless), { code: 'TOO_LARGE' });
  });

  it('with more names than anybody has is refused: each directory twice in the one above', () => {
    const doubling = (depth: number): Folder => ({
      contents: undefined,
      list: () =>
        ['a', 'b'].map((name) => ({
          name,
          isDirectory: depth > 0,
          checksum: () => 'c',
          open: () => doubling(depth - 1),
        })),
    });
    assert.throws(() => diffTrees(doubling(40), doubling(40)), { code: 'TOO_LARGE' });
    assert.throws(() => diffTrees(folder({}), doubling(40)), { code: 'TOO_LARGE' });
    assert.equal(diffTrees(folder({}), doubling(3)).length, 30);
  });
});
