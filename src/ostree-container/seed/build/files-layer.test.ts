import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { noise } from '../../../../test/support/oci-image.ts';
import { type Checksum, objectsOf, type Repository, WHOLE_LIMIT } from '../../../ostree/index.ts';
import { readTar } from '../../../tar/index.ts';
import { commitTree, newRepository } from '../../stream/stream.fixture.ts';
import { placesOf } from '../format/places.ts';
import { writeFiles } from './files-layer.ts';
import { GzipMembers } from './gzip-members.ts';

const { signal } = new AbortController();
const TEXT = Buffer.from('a line of text\n'.repeat(10_000));
/** More than is handled whole; half of it can be packed. */
const LARGE = Buffer.concat([noise(WHOLE_LIMIT), Buffer.alloc(WHOLE_LIMIT, 'packed ')]);
const CONTENTS: Readonly<Record<string, Buffer>> = {
  large: LARGE,
  noise: Buffer.from(noise(3_000_000)),
  small: Buffer.from('small\n'),
  text: TEXT,
};

async function madeArchive(t: TestContext): Promise<{ readonly repository: Repository; readonly commit: Checksum }> {
  const repository = newRepository(t, 'archive');
  const inside = Object.fromEntries(Object.entries(CONTENTS).map(([name, content]) => [name, { content }]));
  return {
    repository,
    commit: await commitTree(repository, { usr: { inside: { again: { content: TEXT }, ...inside } } }),
  };
}

async function filesLayer(repository: Repository, commit: Checksum): Promise<Buffer> {
  const reader = objectsOf(repository);
  const pieces: Buffer[] = [];
  const members = new GzipMembers((bytes) => void pieces.push(Buffer.from(bytes)));
  await writeFiles(reader, [...placesOf(reader, reader.commit(commit))], members, { signal });
  await members.finish();
  return Buffer.concat(pieces);
}

/** Contents of files, targets of hard links. */
async function entriesOf(layer: Buffer): Promise<Readonly<Record<string, Buffer | string>>> {
  const found: Record<string, Buffer | string> = {};
  const tar = gunzipSync(layer);
  for await (const entry of readTar(Readable.from([tar]))) {
    if (entry.type === 'hardlink') found[entry.path] = entry.linkTarget ?? '';
    if (entry.type !== 'file') continue;
    const chunks: Buffer[] = [];
    for await (const chunk of entry.data()) chunks.push(Buffer.from(chunk));
    found[entry.path] = Buffer.concat(chunks);
  }
  return found;
}

const EXPECTED = {
  ...Object.fromEntries(Object.entries(CONTENTS).map(([name, content]) => [`usr/${name}`, content])),
  'usr/again': TEXT,
  'usr/text': 'usr/again',
};

function objectPaths(repository: Repository, commit: Checksum): string[] {
  const reader = objectsOf(repository);
  return [...placesOf(reader, reader.commit(commit))].flatMap((place) => {
    const found = place.kind === 'file' ? reader.find(place.checksum, 'file') : undefined;
    return found === undefined ? [] : [found.path];
  });
}

describe('the layer of files', () => {
  it('has contents as the archive has them packed, and equal ones once', async (t) => {
    const { repository, commit } = await madeArchive(t);
    assert.deepEqual(await entriesOf(await filesLayer(repository, commit)), EXPECTED);
  });

  it('is the same when something lies behind the packed contents, which readers of archives accept', async (t) => {
    const { repository, commit } = await madeArchive(t);
    const before = await filesLayer(repository, commit);
    for (const path of new Set(objectPaths(repository, commit))) fs.appendFileSync(path, 'behind the end');
    assert.ok((await filesLayer(repository, commit)).equals(before));
  });

  for (const [name, content] of Object.entries(CONTENTS)) {
    it(`is not made when the content ${name} was changed, or cut off`, async (t) => {
      const { repository, commit } = await madeArchive(t);
      const other = await commitTree(repository, { usr: { inside: { [name]: { content } } } });
      const [path = ''] = objectPaths(repository, other);
      const bytes = fs.readFileSync(path);
      fs.writeFileSync(path, bytes.subarray(0, -4));
      await assert.rejects(filesLayer(repository, commit), { code: 'OBJECT_MALFORMED' });
      bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
      fs.writeFileSync(path, bytes);
      await assert.rejects(filesLayer(repository, commit), { code: /^OBJECT_(MALFORMED|CORRUPT)$/ });
    });
  }
});
