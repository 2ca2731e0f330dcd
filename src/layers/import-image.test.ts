import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ImageLayer, importImageLayers } from './import-image.ts';
import { impliedMetadata, impliedOf } from './layer-tree.ts';
import {
  directory,
  file,
  hardlink,
  layerOf,
  listing,
  type Made,
  PLAIN,
  repositoryFor,
  streamOf,
  tarOf,
  transact,
} from './layers.fixture.ts';

async function imageLayer(entries: readonly Made[], log: string[] = [], name = ''): Promise<ImageLayer> {
  const bytes = await tarOf(entries);
  const descriptor = { mediaType: 'x', digest: `sha256:${name}` as const, size: bytes.length };
  return {
    descriptor,
    open: () => {
      log.push(`open ${name}`);
      return streamOf(bytes);
    },
  };
}

describe('importing the layers of an image', () => {
  it('reads each once, in their order, and tells when it is stored', (t) =>
    transact(repositoryFor(t), async (transaction) => {
      const log: string[] = [];
      const layers = [
        await imageLayer([file('a', '1', { mode: 0o755 }), directory('d', 0o700)], log, 'one'),
        await imageLayer([hardlink('b', 'a'), file('.wh.a', ''), file('d/x', '2')], log, 'two'),
      ];
      const { root, layers: written } = await importImageLayers(transaction, layers, {
        ...PLAIN,
        onLayer: ({ descriptor }, { root: own }) =>
          log.push(`${descriptor.digest} ${Object.keys(listing(transaction, own)).join(' ')}`),
      });
      assert.deepEqual(listing(transaction, root), { '/': '755', b: '755 1', 'd/': '700', 'd/x': '644 2' });
      assert.deepEqual(log, ['open one', 'sha256:one / a d/', 'open two', 'sha256:two / .wh.a b d/ d/x']);
      assert.deepEqual(
        written.map((each) => each?.counts.entries),
        [2, 3],
      );
    }));
  it('does not open those that are present', (t) =>
    transact(repositoryFor(t), async (transaction) => {
      const { tree, implied } = await layerOf(transaction, [file('a', '1')]);
      const present = { root: tree.write(transaction.writer), implied };
      const log: string[] = [];
      const lowest = { ...(await imageLayer([], log, 'one')), present };
      const layers = [lowest, await imageLayer([hardlink('b', 'a')], log, 'two')];
      const { root, layers: written } = await importImageLayers(transaction, layers, PLAIN);
      assert.deepEqual(listing(transaction, root), { '/': '755', a: '644 1', b: '644 1' });
      assert.deepEqual([log, written[0]], [['open two'], undefined]);
    }));
  it('fails with the stream of a layer', (t) =>
    transact(repositoryFor(t), async (transaction) => {
      const broken = await imageLayer([file('a')]);
      const open = async function* () {
        yield* streamOf((await tarOf([file('a')])).subarray(0, 600));
        throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
      };
      await assert.rejects(importImageLayers(transaction, [{ ...broken, open }], PLAIN), { code: 'ECONNRESET' });
    }));
});

describe('directories that a layer did not describe', () => {
  it('are remembered in the metadata of its commit', () => {
    const implied = new Set(['', 'usr/lib', 'ü"\n']);
    assert.deepEqual(impliedOf(impliedMetadata(implied)), implied);
    assert.deepEqual(impliedMetadata(new Set()), []);
    assert.deepEqual(impliedOf([]), new Set());
  });
});
