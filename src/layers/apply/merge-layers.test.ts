import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Root, Transaction } from '../../ostree/index.ts';
import type { StoredLayer } from '../layer-tree.ts';
import { directory, file, layerOf, listing, type Made, repositoryFor, symlink, transact } from '../layers.fixture.ts';
import { ostreePaths } from '../path-rule.ts';
import { type MergeOptions, mergeLayers } from './merge-layers.ts';

const OSTREE = ostreePaths({ keepAll: false });

async function stored(transaction: Transaction, entries: readonly Made[]): Promise<StoredLayer> {
  const { tree, implied } = await layerOf(transaction, entries, { paths: OSTREE });
  return { root: tree.write(transaction.writer), implied };
}

function merged(
  t: TestContext,
  base: readonly Made[] | undefined,
  layers: readonly (readonly Made[])[],
  options: MergeOptions = {},
): Promise<{ list: Record<string, string>; root: Root; base: Root | undefined }> {
  return transact(repositoryFor(t), async (transaction) => {
    const below = base && (await stored(transaction, base)).root;
    const all: StoredLayer[] = [];
    for (const entries of layers) all.push(await stored(transaction, entries));
    const root = mergeLayers(transaction, all, { paths: OSTREE, base: below, ...options });
    return { list: listing(transaction, root), root, base: below };
  });
}

const LEFT = ['hostname', 'resolv.conf', 'hosts'].map((name) => file(`etc/${name}`, '', { mode: 0o755 }));

describe('merging layers', () => {
  it('lays them over the base in their order', async (t) => {
    const { list } = await merged(
      t,
      [file('usr/a', '0'), file('usr/b', '0')],
      [[file('usr/a', '1')], [file('usr/a', '2')]],
    );
    assert.deepEqual(list, { '/': '755', 'usr/': '755', 'usr/a': '644 2', 'usr/b': '644 0' });
  });
  it('of none is the base itself, object for object', async (t) => {
    const { root, base } = await merged(t, [file('usr/a'), directory('etc')], []);
    assert.deepEqual(root, base);
  });
  it('needs a base or a layer', (t) => assert.rejects(merged(t, undefined, []), { code: 'PATH_MISSING' }));
  it('removes the empty files that builds leave in etc, when asked', async (t) => {
    const { list } = await merged(t, [file('usr/a', '0')], [LEFT], { removeLeftovers: true });
    assert.deepEqual(list, { '/': '755', 'usr/': '755', 'usr/a': '644 0', 'usr/etc/': '755' });
    const kept = await merged(t, [file('usr/a', '0')], [LEFT]);
    assert.equal(kept.list['usr/etc/hosts'], '755');
  });
  it('keeps those with content, links, and an empty hosts of the base', async (t) => {
    const base = [file('etc/hosts', ''), file('etc/hostname', '')];
    const layer = [file('etc/hostname', 'name'), symlink('etc/resolv.conf', '../run/x')];
    const { list } = await merged(t, base, [layer], { removeLeftovers: true });
    assert.deepEqual(list, {
      '/': '755',
      'usr/': '755',
      'usr/etc/': '755',
      'usr/etc/hostname': '644 name',
      'usr/etc/hosts': '644',
      'usr/etc/resolv.conf': '-> ../run/x',
    });
  });
});
