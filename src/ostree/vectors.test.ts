/** Everything in test/fixtures/ostree, read through our code and held against what an independent decoder saw. */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../test/support/needs.ts';
import {
  filesOf,
  unpackVector,
  type VectorEntry,
  type VectorName,
  vectorFiles,
  vectorManifest,
} from '../../test/support/ostree-vectors.ts';
import { decodeDeltaIndex, encodeDeltaIndex } from './delta/index-file.ts';
import { decodeSuperblock, encodeSuperblock } from './delta/superblock.ts';
import { Reach, reachTree } from './history/reach.ts';
import { fsckObjects } from './jobs/fsck-objects.ts';
import { contentChecksum, decodeCommit, encodeCommit } from './objects/commit.ts';
import { decodeDetached, encodeDetached } from './objects/detached.ts';
import { decodeDirMeta, encodeDirMeta } from './objects/dirmeta.ts';
import { decodeDirTree, encodeDirTree } from './objects/dirtree.ts';
import { decodeArchiveHeader, encodeArchiveHeader } from './objects/file-header.ts';
import { listRefs } from './repository/refs.ts';
import { openRepository, type Repository } from './repository/repository.ts';
import { objectsOf } from './storage/object-reader.ts';
import { entriesOf } from './vector-entries.fixture.ts';

const needsRoot = { skip: needs('root') };
const manifest = vectorManifest();

const REPOSITORIES: readonly VectorName[] = [
  'archive',
  'bare',
  'bare-split-xattrs',
  'bare-user',
  'bare-user-only',
  'delta',
  'signed',
  'special',
];

function opened(t: TestContext, name: VectorName): Repository {
  const repository = openRepository(unpackVector(t, name));
  t.after(() => repository.close());
  return repository;
}

/** Decoder and encoder by the ending of a file's name. */
const FORMS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  '.commit': (bytes) => encodeCommit(decodeCommit(bytes)),
  '.dirtree': (bytes) => encodeDirTree(decodeDirTree(bytes)),
  '.dirmeta': (bytes) => encodeDirMeta(decodeDirMeta(bytes)),
  '.commitmeta': (bytes) => encodeDetached(decodeDetached(bytes, 'commitmeta')),
  '.index': (bytes) => encodeDeltaIndex(decodeDeltaIndex(bytes, 'index')),
  superblock: (bytes) => encodeSuperblock(decodeSuperblock(bytes, 'superblock')),
  '.filez': (bytes) => {
    const { header, size, contentOffset } = decodeArchiveHeader(bytes, 'filez');
    return Buffer.concat([encodeArchiveHeader(header, size), bytes.subarray(contentOffset)]);
  },
};

describe('every stored structure of the vectors', () => {
  for (const name of REPOSITORIES) {
    it(`in ${name} comes back byte for byte, and metadata under their names`, needsRoot, (t) => {
      const path = unpackVector(t, name);
      let count = 0;
      for (const [ending, again] of Object.entries(FORMS)) {
        for (const file of filesOf(path, ending)) {
          const bytes = readFileSync(join(path, file));
          assert.deepEqual(Buffer.from(again(bytes)), bytes, file);
          count++;
          if (!/\.(commit|dirtree|dirmeta)$/.test(file)) continue;
          const [stem = ''] = basename(file).split('.');
          const named = `${basename(dirname(file))}${stem}`;
          assert.equal(crypto.createHash('sha256').update(bytes).digest('hex'), named);
        }
      }
      assert.ok(count >= 4, `${count} files`);
    });
  }
});

describe('every vector repository', () => {
  for (const name of REPOSITORIES.filter((each) => each !== 'special')) {
    it(`${name}: each object that its refs reach has the content of its name`, needsRoot, async (t) => {
      const repository = opened(t, name);
      const reader = objectsOf(repository);
      const reach = new Reach();
      for (const { commit } of listRefs(repository)) {
        reach.commits.add(commit);
        reachTree(reader, reader.commit(commit), reach);
      }
      const { found: findings, bytes } = await fsckObjects(
        { reader, writer: undefined },
        { objects: [...reach.names()] },
      );
      assert.deepEqual(findings, []);
      assert.ok(bytes > 1000 && reach.size > 10);
    });

    it(`${name}: commits and files are what the independent decoder saw`, needsRoot, (t) => {
      const repository = opened(t, name);
      const reader = objectsOf(repository);
      const refs = new Set(listRefs(repository).map(({ commit }) => commit));
      const known = [...refs].filter((commit) => manifest.commits[commit] !== undefined);
      assert.ok(known.length > 0);
      for (const checksum of known) {
        const expected = manifest.commits[checksum];
        if (expected === undefined) continue;
        const commit = reader.commit(checksum);
        assert.equal(commit.parent ?? null, expected.parent);
        assert.equal(commit.subject, expected.subject);
        assert.equal(commit.body, expected.body);
        assert.equal(commit.timestamp, expected.timestamp);
        assert.deepEqual(
          commit.metadata.map(([key]) => key),
          expected.metadata_order,
        );
        assert.equal(contentChecksum(commit), expected.content_checksum);
        const byPath = (a: VectorEntry, b: VectorEntry): number => (a.path < b.path ? -1 : 1);
        const found = entriesOf(reader, '/', commit.rootTree, commit.rootMeta);
        assert.deepEqual(found.sort(byPath), [...vectorFiles(expected)].sort(byPath));
      }
    });
  }

  it('special: has an alias, refs of remotes, a partial commit', needsRoot, (t) => {
    const refs = listRefs(opened(t, 'special'));
    assert.ok(refs.some(({ alias, ref }) => ref === 'loc/alias' && alias === 'loc/ref'));
    assert.ok(refs.some(({ place }) => place.kind === 'remote'));
  });
});
