import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ObjectReader } from '../storage/object-reader.ts';
import { openContent } from './find-content.ts';

/** Names of files are their checksums; those with `->` in their content are links. */
function readerOf(files: Readonly<Record<string, string>>, directories: Readonly<Record<string, string>> = {}) {
  const inTree = (tree: string): string[] => Object.keys(files).filter((path) => path.startsWith(tree));
  return {
    dirTree: (tree: string) => ({
      files: inTree(tree).map((path) => ({ name: path.slice(tree.length), checksum: path })),
      directories:
        tree === '/' ? Object.entries(directories).map(([name, inner]) => ({ name, tree: inner, meta: '' })) : [],
    }),
    file: (checksum: string) => {
      const content = files[checksum] ?? '';
      const target = content.startsWith('->') ? content.slice(2) : undefined;
      return { header: { target }, content, close: () => undefined };
    },
  } as unknown as ObjectReader;
}

const content = (reader: ObjectReader, path: string): string =>
  (openContent(reader, { rootTree: '/', rootMeta: '' }, path) as unknown as { content: string }).content;

describe('the content at a path', () => {
  const reader = readerOf(
    {
      '/a': 'A',
      '/b': '->a',
      '/c': '->/d/e',
      '/up': '->../../a',
      '/loop': '->loop',
      'd:e': 'E',
      'd:f': '->../a',
      'd:g': '->..',
    },
    { d: 'd:' },
  );
  it('is that of the file a link leads to, never above the root', () => {
    assert.deepEqual(
      ['/a', 'b', '/c', '/up', 'd/f'].map((path) => content(reader, path)),
      ['A', 'A', 'E', 'A', 'A'],
    );
  });
  it('is none for directories, circles and what is absent', () => {
    for (const path of ['/d', '/loop', '/d/g']) assert.throws(() => content(reader, path), { code: 'FILE_TYPE' }, path);
    assert.throws(() => content(reader, '/nope'), { code: 'PATH_MISSING' });
  });
});
