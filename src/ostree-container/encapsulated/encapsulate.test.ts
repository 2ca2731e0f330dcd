import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseImageName } from '../../images/index.ts';
import type { Checksum, Repository } from '../../ostree/index.ts';
import { commitTree, type MadeTree, newRepository } from '../stream/stream.fixture.ts';
import { piecesOf } from '../stream/tampering.fixture.ts';
import { componentsOf, objectAt, workshop } from './encapsulated.fixture.ts';
import { parseRunConfig } from './run-config.ts';

const tree = (b = 'b'): MadeTree => ({
  usr: {
    inside: {
      bin: { inside: { a: { content: 'a' }, b: { content: b }, c: { content: 'c' } } },
      etc: { inside: { conf: { content: 'conf' }, empty: { content: '' } } },
      lib: { inside: { d: { content: 'd' }, same: { content: 'd' }, link: { target: 'd' } } },
    },
  },
});

async function made(t: TestContext, files = tree()) {
  const repository = newRepository(t);
  const commit = await commitTree(repository, files);
  return { repository, commit, shop: workshop(t, commit) };
}

/** Everything in the components a, b and c, and the rest. */
function parts(repository: Repository, commit: Checksum) {
  const at = (path: string): Checksum => objectAt(repository, commit, path);
  return componentsOf({
    a: [at('/usr/bin/a')],
    b: [at('/usr/bin/b')],
    c: [at('/usr/bin/c')],
    unpackaged: [at('/usr/etc/conf'), at('/usr/etc/empty'), at('/usr/lib/d'), at('/usr/lib/link')],
  });
}

const filesIn = async (tar: Uint8Array): Promise<string[]> =>
  (await piecesOf(tar)).flatMap(({ entry }) =>
    entry.type === 'directory' || entry.path.startsWith('sysroot/') ? [] : [entry.path],
  );

describe('a commit in an image', () => {
  it('is the same image each time, and every time in it is the time of the commit', async (t) => {
    const { repository, commit, shop } = await made(t);
    const one = await shop.encapsulate(repository, 'one');
    const two = await shop.encapsulate(repository, 'two');
    assert.equal(one.manifest.digest, two.manifest.digest);
    const { config, manifest, labels } = shop.look('one');
    assert.equal(config.created, '2023-11-14T22:13:20Z');
    assert.equal(config.history?.length, manifest.layers.length);
    for (const { created } of config.history ?? []) assert.equal(created, config.created);
    assert.equal(config.history?.[0]?.created_by, 'made');
    assert.deepEqual(labels, { 'ostree.commit': commit, 'ostree.final-diffid': config.rootfs.diff_ids.at(-1) });
    assert.deepEqual(manifest.annotations, labels);
  });

  it('has all metadata in its first layer, and each component in its own', async (t) => {
    const { repository, commit, shop } = await made(t);
    await shop.encapsulate(repository, 'one', { components: parts(repository, commit) });
    const { manifest, config, tars } = shop.look('one');
    assert.deepEqual(
      manifest.layers.map(({ annotations }) => annotations?.['ostree.components']),
      [undefined, 'a', 'b', 'c', 'unpackaged', ''],
    );
    assert.deepEqual(
      config.history?.map(({ created_by }) => created_by),
      ['made', 'a-1', 'b-1', 'c-1', 'unpackaged-1', 'Reserved for new packages'],
    );
    const files = await Promise.all(tars.map(filesIn));
    assert.deepEqual(files.slice(0, 4), [[], ['usr/bin/a'], ['usr/bin/b'], ['usr/bin/c']]);
    assert.deepEqual([...(files[4] ?? [])].sort(), [
      'etc/conf',
      'etc/empty',
      'usr/lib/d',
      'usr/lib/link',
      'usr/lib/same',
    ]);
    const [first = Buffer.alloc(0), ...rest] = tars;
    const isMetadata = ({ entry: { path } }: { entry: { path: string } }): boolean =>
      /\.(commit|dirtree|dirmeta)$/.test(path);
    assert.ok((await piecesOf(first)).some(isMetadata));
    for (const tar of rest) assert.ok(!(await piecesOf(tar)).some(isMetadata));
  });

  it('is one layer where that is asked for', async (t) => {
    const { repository, shop } = await made(t);
    const { layers } = await shop.encapsulate(repository, 'one', { components: { kind: 'none' } });
    assert.equal(layers.length, 1);
    assert.equal(shop.look('one').labels['ostree.final-diffid'], layers[0]?.diffId);
    assert.equal((await filesIn(shop.look('one').tars[0] ?? Buffer.alloc(0))).length, 8);
  });

  it('keeps the digest of each layer whose component did not change, with the build before it', async (t) => {
    const before = await made(t);
    await before.shop.encapsulate(before.repository, 'old', { components: parts(before.repository, before.commit) });
    const after = await made(t, tree('another b'));
    const priorBuild = parseImageName(before.shop.layout('old'));
    const components = parts(after.repository, after.commit);
    await after.shop.encapsulate(after.repository, 'new', { components, priorBuild });
    const old = before.shop.look('old').manifest.layers.map(({ digest }) => digest);
    const now = after.shop.look('new').manifest.layers.map(({ digest }) => digest);
    assert.deepEqual(
      now.map((digest, i) => digest === old[i]),
      [false, true, false, true, true, true],
    );
  });

  it('never names two layers as its last one, also when a layer of the build before has lost all of its content', async (t) => {
    const before = await made(t);
    await before.shop.encapsulate(before.repository, 'old', { components: parts(before.repository, before.commit) });
    const { usr } = tree() as { usr: { inside: MadeTree } };
    const after = await made(t, {
      usr: { inside: { ...usr.inside, bin: { inside: { a: { content: 'a' }, c: { content: 'c' } } } } },
    });
    const at = (path: string): Checksum => objectAt(after.repository, after.commit, path);
    const components = componentsOf({
      a: [at('/usr/bin/a')],
      c: [at('/usr/bin/c')],
      unpackaged: [at('/usr/etc/conf'), at('/usr/etc/empty'), at('/usr/lib/d'), at('/usr/lib/link')],
    });
    const priorBuild = parseImageName(before.shop.layout('old'));
    await after.shop.encapsulate(after.repository, 'new', { components, priorBuild });
    const { config, labels } = after.shop.look('new');
    assert.equal(config.rootfs.diff_ids.filter((id) => id === labels['ostree.final-diffid']).length, 1);
    const target = newRepository(t);
    assert.equal((await after.shop.unencapsulate(target, 'new')).commit, after.commit);
  });

  it('has labels, a command and settings as they are asked for, the later ones first', async (t) => {
    const { repository, shop } = await made(t);
    const runConfig = parseRunConfig(
      Buffer.from('{"Env":["A=b"],"Cmd":["no"],"Labels":{"a":"base","z":"base"}}'),
      'file',
    );
    await shop.encapsulate(repository, 'one', {
      labels: [
        ['a', '1'],
        ['a', '2'],
      ],
      command: ['sh', '-l'],
      runConfig,
    });
    const { config, labels, manifest } = shop.look('one');
    assert.deepEqual(config.config?.Cmd, ['sh', '-l']);
    assert.deepEqual(config.config?.Env, ['A=b']);
    assert.equal(labels['a'], '2');
    assert.equal(labels['z'], 'base');
    assert.equal(manifest.annotations['a'], '2');
  });

  const refused = [
    ['COMMIT_METADATA', { copyMetadata: ['absent'] }],
    ['LABEL_RESERVED', { labels: [['ostree.commit', 'x']] }],
    ['LABEL_RESERVED', { labels: [['ostree.final-diffid', 'x']] }],
  ] as const;
  for (const [code, options] of refused) {
    it(`is not made with ${JSON.stringify(options)}: ${code}`, async (t) => {
      const { repository, shop } = await made(t);
      await assert.rejects(shop.encapsulate(repository, 'one', options), { code });
      assert.throws(() => shop.look('one'));
    });
  }
});

describe('the configuration of containers from a file', () => {
  for (const text of ['', '[]', '{"Env":1}', '{},"x":{}', '{}}', '"x"']) {
    it(`is not ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseRunConfig(Buffer.from(text), 'file'), { code: 'BAD_CONTAINER_CONFIG' });
    });
  }
});
