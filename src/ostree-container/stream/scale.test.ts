/** Deep, long and wide, as far as a repository takes it; large amounts are in the long tests. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commitTree, exported, type MadeTree, newRepository } from './stream.fixture.ts';
import { importInto, piecesOf } from './tampering.fixture.ts';

const wide = (count: number, content: (i: number) => string): MadeTree =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, { content: content(i) }]));

function deep(levels: number): MadeTree {
  let tree: MadeTree = { file: { content: 'at the ground' } };
  for (let i = 0; i < levels; i++) tree = { ['d'.repeat(255)]: { inside: tree } };
  return tree;
}

const CASES: readonly (readonly [string, MadeTree, (found: Awaited<ReturnType<typeof piecesOf>>) => boolean])[] = [
  [
    '200 directories deep, with names of 255 bytes',
    deep(200),
    (pieces) => pieces.some(({ entry }) => entry.path.length > 200 * 256),
  ],
  [
    'with a name of 255 bytes that are not ASCII',
    { ['ü'.repeat(127)]: { content: 'a' } },
    (pieces) => pieces.some(({ entry }) => entry.path === 'ü'.repeat(127)),
  ],
  [
    'with attributes of 64 KiB',
    { a: { content: 'a', xattrs: [['user.large', 'x'.repeat(2 ** 16)]] } },
    (pieces) => pieces.some(({ entry }) => entry.xattrs[0]?.[1].length === 2 ** 16),
  ],
  [
    'with 2000 links to one content',
    { links: { inside: wide(2000, () => 'same') } },
    (pieces) =>
      new Set(pieces.filter(({ entry }) => entry.path.startsWith('links/')).map(({ entry }) => entry.linkTarget))
        .size === 1,
  ],
  [
    'with more links to one content than a file system has for a file',
    { links: { inside: wide(50_002, () => 'same') } },
    (pieces) => {
      const files = pieces.filter(({ entry }) => entry.path.startsWith('links/'));
      const targets = new Set(files.map(({ entry }) => entry.linkTarget));
      return files.filter(({ data }) => data.toString() === 'same').length === 1 && targets.size === 3;
    },
  ],
  [
    'with 500 files of their own',
    { many: { inside: wide(500, (i) => `content ${i}`) } },
    (pieces) => pieces.filter(({ entry }) => entry.path.endsWith('.file')).length === 500,
  ],
];

describe('a stream of a tree', () => {
  for (const [title, tree, holds] of CASES) {
    it(`${title} comes back`, async (t) => {
      const from = newRepository(t);
      const commit = await commitTree(from, tree);
      const stream = await exported(from, commit);
      assert.ok(holds(await piecesOf(stream)));
      const repository = newRepository(t);
      assert.equal((await importInto(repository, stream)).commit, commit);
      assert.deepEqual(await exported(repository, commit), stream);
    });
  }
});
