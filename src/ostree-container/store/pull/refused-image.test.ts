import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fsck, listRefs, objectsOf, type Repository } from '../../../ostree/index.ts';
import { commitTree, SIGNAL } from '../../stream/stream.fixture.ts';
import { layerRef } from '../records/index.ts';
import { imageOf, newStore, pullOptions, TREE } from '../store.fixture.ts';
import { pullIntoStore } from './index.ts';

const refsOf = (repository: Repository): string[] => listRefs(repository).map(({ ref }) => ref);

async function assertWhole(repository: Repository): Promise<void> {
  const { findings } = await fsck(repository, { signal: SIGNAL });
  assert.deepEqual(findings, []);
}

describe('an image that is not what it says', () => {
  const refused = async (t: TestContext, code: string, image: Parameters<typeof imageOf>[1], more = {}) => {
    const { name } = await imageOf(t, image);
    const repository = newStore(t);
    await assert.rejects(pullIntoStore(repository, pullOptions(t, name, more)), { code });
    assert.deepEqual(refsOf(repository), []);
  };

  it('has no label for its last layer', (t) =>
    refused(t, 'FINAL_DIFFID_MISSING', { labels: { 'ostree.final-diffid': undefined } }));
  it('names a layer that is not there', (t) =>
    refused(t, 'FINAL_DIFFID_UNKNOWN', { labels: { 'ostree.final-diffid': `sha256:${'0'.repeat(64)}` } }));
  it('has the named layer twice', async (t) => {
    const layer = [{ path: 'usr/x', content: 'x' }];
    const { diffIds } = await imageOf(t, { derived: [layer] });
    await refused(t, 'FINAL_DIFFID_AMBIGUOUS', {
      derived: [layer, layer],
      labels: { 'ostree.final-diffid': diffIds[1] },
    });
  });
  it('brings another commit than its label says', (t) =>
    refused(t, 'COMMIT_LABEL_MISMATCH', { labels: { 'ostree.commit': '0'.repeat(64) } }));
  it('is not for this machine, or not bootable, where that is asked for', async (t) => {
    const more = { requireBootable: true };
    await refused(t, 'NOT_BOOTABLE', { architecture: 'vax' }, more);
    await refused(t, 'NOT_BOOTABLE', { labels: { 'ostree.bootable': undefined, 'containers.bootc': undefined } }, more);
  });
  for (const [what, code, entries] of [
    ['a path that leaves it', 'TAR_PATH', [{ path: 'usr/../../x', content: '' }]],
    ['a hard link to nothing', 'LAYER_LINK', [{ path: 'usr/x', type: 'hardlink', linkTarget: 'usr/none' }]],
    ['a device', 'LAYER_SPECIAL_FILE', [{ path: 'etc/null', type: 'character' }]],
  ] as const) {
    it(`has a layer with ${what}: it gets no name`, async (t) => {
      const { name, layers } = await imageOf(t, { derived: [entries] });
      const repository = newStore(t);
      await assert.rejects(pullIntoStore(repository, pullOptions(t, name)), { code });
      assert.deepEqual(refsOf(repository), [layerRef(layers[0] ?? 'sha256:')]);
      await assertWhole(repository);
    });
  }
  for (const components of [0, 2]) {
    it(`lacks a content in its ${components + 1} layers: no ref is left`, async (t) => {
      const from = newStore(t, 'archive');
      const commit = await commitTree(from, TREE);
      const { tree } = objectsOf(from).dirTree(objectsOf(from).commit(commit).rootTree).directories[0] ?? { tree: '' };
      const lib =
        objectsOf(from)
          .dirTree(tree)
          .directories.find(({ name }) => name === 'lib')?.tree ?? '';
      const without = new Set(
        objectsOf(from)
          .dirTree(lib)
          .files.map(({ checksum }) => checksum),
      );
      await refused(t, 'STREAM_INCOMPLETE', { from, commit, components, without });
    });
  }
  it('asks for a remote that there is none of', async (t) => {
    const { name } = await imageOf(t);
    const options = pullOptions(t, `ostree-remote-image:nobody:${name}`);
    await assert.rejects(pullIntoStore(newStore(t), options), { code: 'REMOTE_UNKNOWN' });
  });
});
