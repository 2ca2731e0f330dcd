import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TarWriter, type TarWriterEntry } from '../../../tar/index.ts';
import type { Place } from '../format/places.ts';
import { BaseTree } from './base-tree.ts';
import { differenceOf } from './difference.ts';

const SIGNAL = new AbortController().signal;
const META = { uid: 0, gid: 0, mode: 0o40755, xattrs: [] };
const digest = (n: number) => `sha256:${String(n).repeat(64)}` as const;

type Made = Partial<TarWriterEntry> & { readonly path: string; readonly text?: string };

async function baseOf(...layers: readonly (readonly Made[])[]): Promise<BaseTree> {
  const tree = new BaseTree();
  for (const [i, entries] of layers.entries()) {
    const chunks: Uint8Array[] = [];
    const tar = new TarWriter((chunk) => void chunks.push(Uint8Array.from(chunk)));
    for (const { text, ...entry } of entries) {
      const type = entry.path.endsWith('/') ? 'directory' : 'file';
      const mode = type === 'directory' ? 0o755 : 0o644;
      await tar.add({ type, mode, uid: 0, gid: 0, ...entry }, text === undefined ? undefined : Buffer.from(text));
    }
    await tar.finish();
    const bytes = (async function* () {
      yield* chunks;
    })();
    await tree.add(digest(i + 1), bytes, SIGNAL);
  }
  return tree;
}

const folder = (path: string): Place => ({ kind: 'directory', path, meta: META });
const file = (path: string, checksum: string): Place => ({ kind: 'file', path, checksum });
const shown = (tree: BaseTree, places: readonly Place[]): string[] =>
  differenceOf(places, tree.root).entries.map(({ kind, path }) => `${kind} ${path}`);

/** What the base has under a path, as the object that it is. */
function checksumAt(tree: BaseTree, path: string): string {
  let at: unknown = tree.root;
  for (const name of path.split('/')) at = (at as { entries: Map<string, unknown> }).entries.get(name);
  return (at as { checksum: string }).checksum;
}

describe('the difference to a base', () => {
  it('is nothing when all is the same', async () => {
    const tree = await baseOf([{ path: './' }, { path: 'usr/' }, { path: 'usr/a', text: 'a' }]);
    const places = [folder(''), folder('usr'), file('usr/a', checksumAt(tree, 'usr/a'))];
    assert.deepEqual(shown(tree, places), []);
    const { same } = differenceOf(places, tree.root);
    assert.deepEqual([same.get('usr/a')?.layer, same.get('usr/a')?.source], [digest(1), '/usr/a']);
  });

  it('takes away what the commit lacks, and whole folders at once where nothing of them stays', async () => {
    const tree = await baseOf([
      { path: './' },
      { path: 'usr/' },
      { path: 'usr/gone', text: '' },
      { path: 'usr/kept', text: 'k' },
      { path: 'opt/' },
      { path: 'opt/a', text: '' },
      { path: 'opt/b', text: '' },
      { path: 'srv/' },
    ]);
    const places = [
      folder(''),
      folder('usr'),
      file('usr/kept', checksumAt(tree, 'usr/kept')),
      folder('opt'),
      file('opt/new', 'n'),
    ];
    assert.deepEqual(shown(tree, places), [
      'directory ',
      'whiteout .wh.srv',
      'directory usr',
      'whiteout usr/.wh.gone',
      'directory opt',
      'whiteout opt/.wh..wh..opq',
      'file opt/new',
    ]);
  });

  for (const [what, changed] of [
    ['content', { text: 'b' }],
    ['mode', { text: 'a', mode: 0o600 }],
    ['owner', { text: 'a', uid: 1 }],
    ['attributes', { text: 'a', xattrs: [['user.x', Buffer.from('y')]] as const }],
  ] as const) {
    it(`has a file again whose ${what} changed`, async () => {
      const one = await baseOf([{ path: './' }, { path: 'a', text: 'a' }]);
      const other = await baseOf([{ path: './' }, { path: 'a', ...changed }]);
      assert.deepEqual(shown(other, [folder(''), file('a', checksumAt(one, 'a'))]), ['directory ', 'file a']);
    });
  }

  it('sees what layers did to each other: whiteouts, replaced folders, links to files below', async () => {
    const tree = await baseOf(
      [
        { path: './' },
        { path: 'd/' },
        { path: 'd/a', text: 'a' },
        { path: 'd/b', text: 'b' },
        { path: 'l', type: 'symlink', linkTarget: 'd', mode: 0o777 },
      ],
      [{ path: 'd/.wh..wh..opq' }, { path: 'd/c', text: 'c' }, { path: 'l/through', text: 't' }],
      [{ path: 'd/.wh.through' }, { path: 'hard', type: 'hardlink', linkTarget: 'd/c' }],
    );
    const names = [...(tree.root.entries.get('d') as { entries: Map<string, unknown> }).entries.keys()];
    assert.deepEqual(names, ['c']);
    const places = [folder(''), file('hard', checksumAt(tree, 'd/c'))];
    const found = differenceOf(places, tree.root).same.get('hard');
    assert.deepEqual([found?.layer, found?.source], [digest(2), '/d/c']);
  });
});
