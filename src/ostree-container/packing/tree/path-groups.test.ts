import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commitTreeOf, newRepository, treeOf } from '../packing.fixture.ts';
import { groupByPath } from './path-groups.ts';

const MIB = 2 ** 20;
/** Bytes that are in no other file. */
const bytes = (size: number, seed: string): Uint8Array => Buffer.alloc(size, `${seed}-`);

describe('parts of a tree by path and size', () => {
  it('are one for a tree that is not large', async (t) => {
    const tree = await commitTreeOf(newRepository(t), treeOf({ 'a/b': 'x', 'c/d': 'y', e: { target: 'a' } }));
    const [group, ...others] = groupByPath(tree, () => true);
    assert.equal(others.length, 0);
    assert.deepEqual(group?.members.map(({ path }) => path).sort(), ['/a/b', '/c/d', '/e']);
    assert.deepEqual([group?.path, group?.size], ['/', 2]);
  });

  it('are the large files and folders of a large one, and what is left', async (t) => {
    const tree = await commitTreeOf(
      newRepository(t),
      treeOf({
        'usr/big': bytes(9 * MIB, 'big'),
        'usr/lib/one': bytes(MIB, 'one'),
        'usr/lib/two': 'two',
        'usr/small/three': 'three',
        'usr/four': 'four',
      }),
    );
    assert.deepEqual(
      groupByPath(tree, () => true).map(({ path, members }) => [path, members.map((one) => one.path)]),
      [
        ['/usr/big', ['/usr/big']],
        ['/usr', ['/usr/four', '/usr/small/three']],
        ['/usr/lib', ['/usr/lib/one', '/usr/lib/two']],
      ],
    );
  });

  it('have each object once, and those only that are asked for', async (t) => {
    const tree = await commitTreeOf(newRepository(t), treeOf({ 'a/x': 'same', 'b/x': 'same', 'b/y': 'other' }));
    const other = tree.file('/b/y');
    assert.equal(groupByPath(tree, () => true).flatMap(({ members }) => members).length, 2);
    assert.deepEqual(
      groupByPath(tree, (checksum) => checksum === other).flatMap(({ members }) => members.map(({ path }) => path)),
      ['/b/y'],
    );
    assert.deepEqual(
      groupByPath(tree, () => false),
      [],
    );
  });
});
