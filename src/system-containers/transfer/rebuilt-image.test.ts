import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../test/support/needs.ts';
import { makeImage, type SampleEntry } from '../../../test/support/oci-image.ts';
import { scratch } from '../../../test/support/scratch.ts';
import { openImages } from '../../images/index.ts';
import { hostPlatform, openOciArchive, writeOciArchive } from '../../oci/index.ts';
import { createRepository, objectsOf, openRepository, type Repository } from '../../ostree/index.ts';
import { pullImage } from '../pull/index.ts';
import { mergedCommit, type StoredImage } from '../storage/index.ts';
import { ImagePacker } from './rebuilt-image.ts';

const { signal } = new AbortController();

const LAYERS: readonly (readonly SampleEntry[])[] = [
  [
    { path: 'bin', type: 'directory' },
    { path: 'bin/tool', content: 'one', mode: 0o4755 },
    { path: 'bin/same', type: 'hardlink', linkTarget: 'bin/tool' },
    { path: 'etc', type: 'directory', mode: 0o750, gid: 7 },
    { path: 'etc/gone', content: 'gone' },
    { path: 'etc/link', type: 'symlink', linkTarget: '/nowhere' },
    { path: 'empty', content: '' },
  ],
  [
    { path: 'etc/.wh.gone', content: '' },
    { path: 'etc/owned', content: 'x', uid: 1000, gid: 1000, mode: 0o600 },
  ],
];

function repositoryIn(t: TestContext): Repository {
  const path = join(scratch(t), 'repo');
  createRepository(path, { mode: process.getuid?.() === 0 ? 'bare' : 'bare-user' });
  const repository = openRepository(path);
  t.after(() => repository.close());
  return repository;
}

async function pull(t: TestContext, repository: Repository, reference: string): Promise<StoredImage> {
  const images = openImages({ http: { userAgent: 'test' }, onNote: () => undefined, env: {}, uid: 0 });
  t.after(() => images.close());
  const { image } = await pullImage(repository, {
    reference,
    name: 'localhost/sample:1',
    images,
    policy: undefined,
    requireSignature: false,
    insecure: false,
    platform: hostPlatform(),
    access: undefined,
    threads: 0,
    progress: () => undefined,
    signal,
    fsync: false,
  });
  return image;
}

async function exported(repository: Repository, image: StoredImage, file: string): Promise<string> {
  const archive = await writeOciArchive(file);
  try {
    const packer = new ImagePacker(repository, archive, { signal, onLayer: () => undefined });
    const { digest } = await packer.add(image, 'one');
    archive.setBeside('note', Buffer.from('beside'));
    await archive.finish(signal);
    return digest;
  } finally {
    archive.discard();
  }
}

describe('a stored image, packed again', { skip: needs('root') }, () => {
  it('is the same tree after it was pulled elsewhere, and the same file each time', async (t) => {
    const folder = scratch(t);
    await makeImage(join(folder, 'layout'), {
      layers: LAYERS,
      tag: 'one',
      config: { config: { Cmd: ['/bin/tool'], Labels: { a: 'b' } } },
    });
    const [first, second] = [repositoryIn(t), repositoryIn(t)];
    const original = await pull(t, first, `oci:${folder}/layout:one`);
    const files = ['a.tar', 'b.tar'].map((name) => join(folder, name));
    for (const file of files) await exported(first, original, file);
    const [a = '', b = ''] = files;
    assert.deepEqual(readFileSync(a), readFileSync(b));

    const copy = await pull(t, second, `oci-archive:${a}:one`);
    const trees = [];
    for (const [repository, image] of [
      [first, original],
      [second, copy],
    ] as const) {
      const { rootTree, rootMeta } = objectsOf(repository).commit(await mergedCommit(repository, image, { signal }));
      trees.push({ rootTree, rootMeta });
    }
    assert.deepEqual(trees[1], trees[0]);
    assert.equal(copy.layers.length, 2);
  });

  it('has what was said about it, and a note beside it', async (t) => {
    const folder = scratch(t);
    const config = { config: { Cmd: ['/bin/tool'], Labels: { a: 'b' } } };
    await makeImage(join(folder, 'layout'), { layers: LAYERS, tag: 'one', config, annotations: { c: 'd' } });
    const repository = repositoryIn(t);
    const image = await pull(t, repository, `oci:${folder}/layout:one`);
    const digest = await exported(repository, image, join(folder, 'a.tar'));
    const layout = await openOciArchive(join(folder, 'a.tar'), signal);
    t.after(() => layout.close());
    assert.equal(layout.find('one').digest, digest);
    assert.equal(Buffer.from(layout.readBeside('note', 100) ?? []).toString(), 'beside');
    assert.equal(layout.readBeside('other', 100), undefined);
    const manifest = JSON.parse(Buffer.from(layout.readManifest(layout.find('one').digest).bytes).toString());
    assert.deepEqual(manifest.annotations, { c: 'd' });
    const chunks: Buffer[] = [];
    for await (const chunk of layout.readBlob(manifest.config.digest)) chunks.push(Buffer.from(chunk));
    assert.deepEqual(JSON.parse(Buffer.concat(chunks).toString()).config, config.config);
  });
});
