/** Images that somebody made wrong, on purpose or not: each is refused by its code, and the repository stays empty. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeImage, type SampleEntry, sampleTar } from '../../../../test/support/oci-image.ts';
import { scratch } from '../../../../test/support/scratch.ts';
import { silent } from '../../../base/progress.ts';
import { openImages, parseImageName } from '../../../images/index.ts';
import { digestOf } from '../../../oci/index.ts';
import { type Checksum, commitObjects, listRefs, type Repository } from '../../../ostree/index.ts';
import { commitTree, newRepository, SIGNAL } from '../../stream/stream.fixture.ts';
import { CONFIG, LABELS } from '../format/layout.ts';
import { formatMapHead, formatMappedFile } from '../format/object-map.ts';
import { openImage } from './image-layers.ts';
import { pullSeed } from './pull.ts';

type Test = Parameters<typeof scratch>[0];

interface Parts {
  readonly commit: Checksum;
  readonly metadata: readonly SampleEntry[];
  readonly contents: readonly SampleEntry[];
  readonly below?: readonly SampleEntry[];
}

const TREE = {
  usr: { inside: { a: { content: 'content of a' }, b: { content: 'content of b' }, l: { target: 'a' } } },
  etc: { inside: { c: { content: 'x'.repeat(100_000), mode: 0o600 } } },
};

async function partsOf(t: Test): Promise<Parts> {
  const repository = newRepository(t);
  const commit = await commitTree(repository, TREE);
  const objects = readdirSync(join(repository.path, 'objects'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('.'))
    .sort((a, b) => Number(b.endsWith('.commit')) - Number(a.endsWith('.commit')))
    .map((name) => entry(`ostree/repo/objects/${name}`, readFileSync(join(repository.path, 'objects', name))));
  const isContent = ({ path }: SampleEntry): boolean => path.endsWith('.filez');
  return {
    commit,
    metadata: [entry('ostree/repo/config', CONFIG), ...objects.filter((each) => !isContent(each))],
    contents: objects.filter(isContent),
  };
}

const entry = (path: string, content: string | Uint8Array): SampleEntry => ({ path, content });

async function pull(t: Test, repository: Repository, parts: Parts, labels: 'all' | 'none' | Record<string, string>) {
  const folder = scratch(t);
  const layers = [parts.below ?? [], parts.contents, parts.metadata];
  const [, contents, metadata] = await Promise.all(layers.map(async (each) => digestOf(await sampleTar(each))));
  const named = { [LABELS.metadata]: metadata ?? '', [LABELS.contents]: contents ?? '', [LABELS.commit]: parts.commit };
  const Labels = labels === 'none' ? {} : labels === 'all' ? named : { ...named, ...labels };
  await makeImage(folder, { tag: 'v1', layers, config: { config: { Labels } } });
  const http = { userAgent: 'test', onNote: () => undefined };
  const images = openImages({ http, onNote: () => undefined, env: {}, uid: 0 });
  const source = await images.source(parseImageName(`oci:${folder}:v1`), SIGNAL);
  try {
    const image = await openImage(source, SIGNAL);
    const ref = { remote: undefined, ref: 'os/main' };
    return await pullSeed(repository, image, { ref, verifier: undefined, onProgress: silent, signal: SIGNAL });
  } finally {
    await source.close();
    await images.close();
  }
}

/** Nothing that anybody would take for a commit. */
function isUntouched(repository: Repository): boolean {
  return [...commitObjects(repository)].length === 0 && listRefs(repository).length === 0;
}

type Change = (parts: Parts) => Parts;

const without =
  (ending: string): Change =>
  (parts) => ({ ...parts, metadata: dropFirst(parts.metadata, ending), contents: dropFirst(parts.contents, ending) });

function dropFirst(entries: readonly SampleEntry[], ending: string): readonly SampleEntry[] {
  const at = entries.findIndex(({ path }) => path.endsWith(ending));
  return entries.filter((_, i) => i !== at);
}

/** The first object of a kind gets the bytes of the last one. */
function swapped(entries: readonly SampleEntry[], ending: string): readonly SampleEntry[] {
  const first = entries.findIndex(({ path }) => path.endsWith(ending));
  const last = entries.findLast(({ path }) => path.endsWith(ending));
  assert.notEqual(entries[first], last);
  return entries.map((each, i) => (i === first ? { ...each, content: last?.content ?? '' } : each));
}

const CASES: readonly (readonly [what: string, change: Change, code: string])[] = [
  ['a content is another one', (p) => ({ ...p, contents: swapped(p.contents, '.filez') }), 'OBJECT_CORRUPT'],
  [
    'a content is cut',
    (p) => ({ ...p, contents: p.contents.map((each) => ({ ...each, content: (each.content ?? '').slice(0, 40) })) }),
    'OBJECT_MALFORMED',
  ],
  ['a directory is another one', (p) => ({ ...p, metadata: swapped(p.metadata, '.dirtree') }), 'OBJECT_CORRUPT'],
  [
    'the commit has one byte more',
    (p) => ({
      ...p,
      metadata: p.metadata.map((each) =>
        each.path.endsWith('.commit')
          ? { ...each, content: Buffer.concat([each.content as Buffer, Buffer.of(0)]) }
          : each,
      ),
    }),
    'OBJECT_CORRUPT',
  ],
  ['a content is missing', without('.filez'), 'STREAM_INCOMPLETE'],
  ['a directory is missing', without('.dirtree'), 'STREAM_INCOMPLETE'],
  ['the attributes of a directory are missing', without('.dirmeta'), 'STREAM_INCOMPLETE'],
  ['the commit is missing', without('.commit'), 'SEED_MALFORMED'],
  [
    'its repository is of another mode',
    (p) => ({ ...p, metadata: [entry('ostree/repo/config', '[core]\nmode=bare\n'), ...p.metadata.slice(1)] }),
    'SEED_MALFORMED',
  ],
  [
    'an object is a link to a file of the host',
    (p) => ({
      ...p,
      contents: p.contents.map(({ path }) => ({ path, type: 'symlink', linkTarget: '/etc/shadow', mode: 0o777 })),
    }),
    'SEED_MALFORMED',
  ],
  ['a path leads out of it', (p) => ({ ...p, contents: [entry('../../outside', 'x'), ...p.contents] }), 'TAR_PATH'],
  [
    'metadata are larger than any',
    (p) => ({
      ...p,
      metadata: [
        ...p.metadata,
        entry(`ostree/repo/objects/00/${'0'.repeat(62)}.dirtree`, Buffer.alloc(10 * 2 ** 20 + 1)),
      ],
    }),
    'SEED_LIMIT',
  ],
  [
    'no file of the base is the object that the map says',
    (p) => ({
      ...p,
      below: [entry('usr/a', 'something else')],
      contents: p.contents.slice(1),
      metadata: [...p.metadata, mapOf(p, p.contents[0]?.path ?? '')],
    }),
    'STREAM_INCOMPLETE',
  ],
];

function mapOf({ commit }: Parts, path: string): SampleEntry {
  const object = path.replace('ostree/repo/objects/', '').replace('/', '').slice(0, 64);
  const header = { uid: 0, gid: 0, mode: 0o100644, target: undefined, xattrs: [] };
  // No layer is named: all of them are looked through, and what is something else is passed over.
  const external = { header, layer: undefined, source: '/usr/a' };
  const line = formatMappedFile({ path: '/usr/a', object, size: 14, target: undefined, external });
  return entry('ostree/object-map', formatMapHead(commit) + line);
}

describe('an image of the seed layout', () => {
  it('is pulled, labelled or not', async (t) => {
    for (const labels of ['all', 'none'] as const) {
      const repository = newRepository(t, 'bare-user');
      const parts = await partsOf(t);
      const { commit } = await pull(t, repository, parts, labels);
      assert.equal(commit, parts.commit);
      assert.deepEqual(
        listRefs(repository).map((each) => each.commit),
        [parts.commit],
      );
    }
  });

  for (const [what, change, code] of CASES) {
    it(`is refused when ${what}`, async (t) => {
      const repository = newRepository(t, 'archive');
      await assert.rejects(pull(t, repository, change(await partsOf(t)), 'all'), { code });
      assert.ok(isUntouched(repository));
    });
  }

  it('is refused when there is no repository in it, and no label says so', async (t) => {
    const repository = newRepository(t);
    const parts = { commit: '0'.repeat(64), metadata: [], contents: [], below: [entry('etc/x', 'x')] };
    await assert.rejects(pull(t, repository, parts, 'none'), { code: 'NO_REPOSITORY_IN_IMAGE' });
  });

  it('is refused when its label names another commit, or no checksum', async (t) => {
    const parts = await partsOf(t);
    for (const label of ['0'.repeat(64), 'main']) {
      const repository = newRepository(t);
      const labels = { [LABELS.commit]: label };
      await assert.rejects(pull(t, repository, parts, labels), { code: 'COMMIT_LABEL_MISMATCH' });
      assert.ok(isUntouched(repository));
    }
  });
});
