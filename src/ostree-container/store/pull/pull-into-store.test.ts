import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatImageName, parseImageName } from '../../../images/index.ts';
import {
  contentChecksum,
  fsck,
  HEAD,
  isPartial,
  listRefs,
  lookup,
  objectsOf,
  type Repository,
  readRef,
  string,
} from '../../../ostree/index.ts';
import { SIGNAL } from '../../stream/stream.fixture.ts';
import { cachedUpdate, findImage, imageRef, layerRef, listImages } from '../records/index.ts';
import { imageOf, listed, newStore, pullOptions, TREE } from '../store.fixture.ts';
import { checkStore, pullIntoStore } from './index.ts';

const refsOf = (repository: Repository): string[] => listRefs(repository).map(({ ref }) => ref);

async function assertWhole(repository: Repository): Promise<void> {
  const { findings } = await fsck(repository, { signal: SIGNAL });
  assert.deepEqual(findings, []);
}

describe('an image of a commit alone', () => {
  for (const mode of ['bare', 'archive', 'bare-user'] as const) {
    it(`in several layers is stored in a repository of mode ${mode} with a ref for each of them`, async (t) => {
      const { name, commit, layers, from, raw } = await imageOf(t, { components: 3 });
      const repository = newStore(t, mode);
      const pulled = await pullIntoStore(repository, pullOptions(t, name));
      assert.deepEqual([pulled.baseCommit, pulled.fetchedLayers, pulled.manifestDigest], [commit, 4, raw.digest]);
      const reader = objectsOf(repository);
      assert.equal(contentChecksum(reader.commit(pulled.commit)), contentChecksum(objectsOf(from).commit(commit)));
      assert.deepEqual(refsOf(repository).sort(), [...layers.map(layerRef), imageRef(parseImageName(name))].sort());
      assert.equal(readRef(repository, HEAD, layerRef(layers[0] ?? 'sha256:')), commit);
      assert.equal(isPartial(repository, commit), false);
      await assertWhole(repository);
    });
  }

  it('has in the metadata of its commit what others look for there', async (t) => {
    const { name, raw } = await imageOf(t);
    const repository = newStore(t);
    const { commit } = await pullIntoStore(repository, pullOptions(t, name));
    const { metadata, timestamp, parent, subject, body } = objectsOf(repository).commit(commit);
    assert.deepEqual(
      metadata.map(([key]) => key),
      ['ostree.manifest-digest', 'ostree.manifest', 'ostree.container.image-config', 'ostree.importer.version'],
    );
    assert.equal(lookup(metadata, 'ostree.manifest-digest', string), raw.digest);
    assert.equal(lookup(metadata, 'ostree.manifest', string), Buffer.from(raw.bytes).toString());
    assert.deepEqual([timestamp, parent, subject, body], [Date.UTC(2026, 0, 2, 3, 4, 5) / 1000, undefined, '', '']);
  });

  it('is pulled into the same commits each time', async (t) => {
    const { name } = await imageOf(t, { components: 2, derived: [[{ path: 'usr/new', content: 'x' }]] });
    const [one, two] = [newStore(t), newStore(t, 'archive')];
    for (const repository of [one, two]) await pullIntoStore(repository, pullOptions(t, name));
    assert.deepEqual(listRefs(one), listRefs(two));
  });

  it('is not touched by a second pull, and what it shares with another image is not fetched', async (t) => {
    const first = await imageOf(t, { components: 2 });
    const repository = newStore(t);
    await pullIntoStore(repository, pullOptions(t, first.name));
    const before = listRefs(repository);
    const again = await pullIntoStore(repository, pullOptions(t, first.name));
    assert.deepEqual([again.isNew, again.fetchedLayers, listRefs(repository)], [false, 0, before]);
    const second = await imageOf(t, { ...first, components: 2, derived: [[{ path: 'usr/new', content: 'new' }]] });
    const other = await pullIntoStore(repository, pullOptions(t, second.name));
    assert.deepEqual([other.isNew, other.fetchedLayers], [true, 1]);
  });

  it('without its name leaves refs of layers alone', async (t) => {
    const { name, layers } = await imageOf(t, { components: 1 });
    const repository = newStore(t);
    const { commit } = await pullIntoStore(repository, pullOptions(t, name, { setImageRef: false }));
    assert.deepEqual(refsOf(repository), layers.map(layerRef).sort());
    assert.equal(objectsOf(repository).has(commit, 'commit'), true);
  });
});

describe('an image without an OSTree commit', () => {
  it('is stored as its layers, with nothing but API directories left out', async (t) => {
    const { from, commit } = await imageOf(t);
    const labels = { 'ostree.commit': undefined, 'ostree.final-diffid': undefined };
    const { name } = await imageOf(t, {
      from,
      commit,
      labels,
      derived: [
        [
          { path: 'opt/a', content: 'a' },
          { path: 'etc/b', content: 'b' },
        ],
      ],
    });
    const repository = newStore(t);
    const pulled = await pullIntoStore(repository, pullOptions(t, name));
    const list = listed(repository, pulled.commit);
    assert.deepEqual([pulled.baseCommit, list['/opt/a'], list['/usr/etc/b']], [undefined, '644 a', '644 b']);
  });
});

describe('a newer image of the same name', () => {
  it('is remembered by the stored one, and takes its place and drops its layers when it is pulled', async (t) => {
    const first = await imageOf(t, { components: 1 });
    const repository = newStore(t);
    const { commit } = await pullIntoStore(repository, pullOptions(t, first.name));
    const second = await imageOf(t, { from: first.from, tree: { ...TREE, opt: { inside: {} } } });
    const options = pullOptions(t, first.name, {
      images: {
        ...pullOptions(t, first.name).images,
        source: () => pullOptions(t, first.name).images.source(parseImageName(second.name), SIGNAL),
      },
    });
    const plan = await checkStore(repository, options);
    assert.deepEqual([plan.isStored, plan.layers.length, plan.manifest.digest], [false, 1, second.raw.digest]);
    assert.equal(cachedUpdate(objectsOf(repository), commit)?.digest, second.raw.digest);
    const pulled = await pullIntoStore(repository, options);
    assert.equal(pulled.droppedLayers, 2);
    assert.equal(findImage(repository, options.reference.image).manifest.digest, second.raw.digest);
    // As a run leaves it that is killed before it has dropped them.
    await pullIntoStore(repository, pullOptions(t, first.name, { setImageRef: false, skipGc: true }));
    assert.equal((await pullIntoStore(repository, options)).droppedLayers, 2);
    assert.deepEqual(listImages(repository), [formatImageName(options.reference.image)]);
    await assertWhole(repository);
  });
});
