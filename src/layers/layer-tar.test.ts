import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Checksum, Repository } from '../ostree/index.ts';
import { writeCommit } from '../ostree/index.ts';
import { importLayer } from './import/import-layer.ts';
import { writeLayerTar } from './layer-tar.ts';
import { impliedMetadata } from './layer-tree.ts';
import {
  directory,
  file,
  hardlink,
  layerOf,
  listing,
  type Made,
  PLAIN,
  repositoryFor,
  signal,
  streamOf,
  symlink,
  transact,
} from './layers.fixture.ts';

const ENTRIES: readonly Made[] = [
  directory('etc', 0o750, { gid: 7 }),
  file('etc/own', 'text', { uid: 1000, gid: 1000, mode: 0o4600 }),
  file('etc/.wh.gone', ''),
  file('usr/lib/implied', 'x'),
  hardlink('usr/lib/second', 'usr/lib/implied'),
  symlink('etc/link', '/nowhere'),
];

async function storedLayer(t: TestContext): Promise<{ readonly repository: Repository; readonly commit: Checksum }> {
  const repository = repositoryFor(t);
  const commit = await transact(repository, async (transaction) => {
    const { tree, implied } = await layerOf(transaction, ENTRIES);
    const root = tree.write(transaction.writer);
    return writeCommit(transaction.writer, root, { metadata: impliedMetadata(implied), timestamp: 0 });
  });
  return { repository, commit };
}

async function tarOf(repository: Repository, commit: Checksum, paths?: (path: string) => string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await writeLayerTar(repository, commit, (chunk) => void chunks.push(Buffer.from(chunk)), { paths, signal });
  return Buffer.concat(chunks);
}

function importedAgain(t: TestContext, tar: Uint8Array) {
  return transact(repositoryFor(t), async (transaction) => {
    const { tree, implied } = await importLayer(transaction, streamOf(tar), PLAIN);
    return { list: listing(transaction, tree.write(transaction.writer)), implied: [...implied].sort() };
  });
}

describe('a stored layer as an archive', () => {
  it('is the same layer when it is imported again: whiteouts, owners, what it does not describe', async (t) => {
    const { repository, commit } = await storedLayer(t);
    const first = await transact(repositoryFor(t), async (transaction) => {
      const { tree, implied } = await layerOf(transaction, ENTRIES);
      return { list: listing(transaction, tree.write(transaction.writer)), implied: [...implied].sort() };
    });
    assert.deepEqual(await importedAgain(t, await tarOf(repository, commit)), first);
    assert.deepEqual(first.implied, ['', 'usr', 'usr/lib']);
  });

  it('is the same bytes each time', async (t) => {
    const { repository, commit } = await storedLayer(t);
    assert.deepEqual(await tarOf(repository, commit), await tarOf(repository, commit));
  });

  it('may have its paths elsewhere', async (t) => {
    const { repository, commit } = await storedLayer(t);
    const { list } = await importedAgain(t, await tarOf(repository, commit, (path) => `below/${path}`));
    assert.equal(list['below/etc/own'], '4600 1000:1000 text');
  });

  it('that has lost a file ends with an error', async (t) => {
    const { commit } = await storedLayer(t);
    await assert.rejects(tarOf(repositoryFor(t), commit), { code: 'OBJECT_MISSING' });
  });
});
