import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { needs } from '../../../../test/support/needs.ts';
import { encodeXattrs, isPartial, listRefs, objectsOf, type RepositoryMode, sha256 } from '../../../ostree/index.ts';
import { objectPath } from '../layout.ts';
import { commitTree, exported, type MadeTree, newRepository, SIGNAL, transact } from '../stream.fixture.ts';
import {
  contentsOf,
  endsWith,
  importInto,
  inPieces,
  isUntouched,
  type Piece,
  piecesOf,
  tampered,
  withEntry,
  written,
} from '../tampering.fixture.ts';
import { importTar } from './import-tar.ts';

const NOTE = [['user.note', 'x']] as const;
const TREE: MadeTree = {
  usr: {
    inside: {
      bin: { inside: { a: { content: 'a', uid: 7, xattrs: NOTE }, b: { target: '..//x' } } },
      etc: { inside: { conf: { content: 'conf' }, none: { content: '' } }, mode: 0o700, uid: 7 },
    },
  },
  sysroot: { inside: { deep: { inside: { only: { content: 'only here' } } } } },
  large: { content: Buffer.alloc(5 * 2 ** 20, 'large ') },
};
const DETACHED = new Uint8Array();

async function source(t: TestContext, tree: MadeTree = TREE, detached?: Uint8Array) {
  const repository = newRepository(t);
  const commit = await commitTree(repository, tree, detached);
  return { repository, commit, stream: await exported(repository, commit) };
}

describe('an imported stream', () => {
  for (const mode of ['archive', 'bare', 'bare-user'] satisfies RepositoryMode[]) {
    it(`is the same commit in a repository of mode ${mode}, which exports the same stream`, {
      skip: needs('root'),
    }, async (t) => {
      const { commit, stream } = await source(t, TREE, DETACHED);
      const repository = newRepository(t, mode);
      const imported = await importInto(repository, stream);
      assert.equal(imported.commit, commit);
      assert.equal(isPartial(repository, commit), false);
      assert.deepEqual(await exported(repository, commit), stream);
    });
  }

  it('brings what is under the commit’s own sysroot, and its detached metadata', async (t) => {
    const { repository: from, stream } = await source(t, TREE, DETACHED);
    const repository = newRepository(t);
    await importInto(repository, stream);
    assert.deepEqual(contentsOf(repository), contentsOf(from));
    assert.ok(Object.keys(contentsOf(repository)).some((name) => name.endsWith('.commitmeta')));
  });

  it('is refused by a repository of mode bare-user-only when a file is setuid', async (t) => {
    const { stream } = await source(t, { su: { content: 'su', mode: 0o4755 } });
    const repository = newRepository(t, 'bare-user-only');
    await assert.rejects(importInto(repository, stream, { ref: 'os/main' }), { code: 'OBJECT_UNSUITABLE' });
    assert.ok(isUntouched(repository));
  });

  it('is counted, and a second time nothing of it is new', async (t) => {
    const { stream } = await source(t);
    const repository = newRepository(t);
    const { commit, signatures, ...counts } = await importInto(repository, stream);
    assert.deepEqual(counts, { metadata: 9, contents: 6, newContents: 6, newBytes: 5 * 2 ** 20 + 14 });
    const before = contentsOf(repository);
    const again = await importInto(repository, stream);
    assert.deepEqual([again.contents, again.newContents, again.newBytes], [6, 0, 0]);
    assert.deepEqual(contentsOf(repository), before);
  });

  it('sets the ref that is wanted, on a remote too, and no other', async (t) => {
    const { commit, stream } = await source(t, {});
    const repository = newRepository(t);
    await importInto(repository, stream);
    assert.deepEqual(listRefs(repository), []);
    await importInto(repository, stream, { ref: 'os/main' });
    await importInto(repository, stream, { ref: 'origin:os/main' });
    const refs = listRefs(repository).map(({ place, ref, commit: to }) => [place.kind, ref, to]);
    assert.deepEqual(refs.sort(), [
      ['head', 'os/main', commit],
      ['remote', 'os/main', commit],
    ]);
  });

  it('is read to its end, whatever lies behind the archive', async (t) => {
    const { commit, stream } = await source(t, {});
    const repository = newRepository(t);
    let read = 0;
    async function* counted(bytes: Uint8Array) {
      for await (const piece of inPieces(bytes)) {
        read += piece.length;
        yield piece;
      }
    }
    const garbage = Buffer.concat([stream, Buffer.alloc(10_240), Buffer.from('not a tar')]);
    const imported = await importTar(repository, counted(garbage), { signal: SIGNAL, fsync: false });
    assert.deepEqual([imported.commit, read], [commit, garbage.length]);
  });

  it('may come in pieces of any size', async (t) => {
    const { commit, stream } = await source(t, { a: { content: 'a' } });
    for (const size of [511, 1000]) {
      const repository = newRepository(t);
      const options = { signal: SIGNAL, fsync: false };
      assert.equal((await importTar(repository, inPieces(stream, size), options)).commit, commit);
    }
  });

  it('makes a commit whole that was partial', async (t) => {
    const { commit, stream } = await source(t);
    const repository = newRepository(t);
    await transact(repository, (transaction) => transaction.beginPartial(commit));
    await importInto(repository, stream);
    assert.equal(isPartial(repository, commit), false);
    assert.deepEqual(await exported(repository, commit), stream);
  });

  it('leaves nothing when it is a dry run', async (t) => {
    const { commit, stream } = await source(t);
    const repository = newRepository(t);
    const before = contentsOf(repository);
    const imported = await importInto(repository, stream, { dryRun: true, ref: 'os/main' });
    assert.deepEqual([imported.commit, imported.newContents], [commit, 6]);
    assert.ok(isUntouched(repository));
    assert.deepEqual(contentsOf(repository), before);
  });
});

describe('a stream may', () => {
  const variants: readonly (readonly [string, (pieces: readonly Piece[], commit: string) => readonly Piece[]])[] = [
    ['have names that begin with ./', (pieces) => pieces.map((piece) => prefixed(piece, './'))],
    ['have names that begin with /', (pieces) => pieces.map((piece) => prefixed(piece, '/'))],
    [
      'have no file outside of the repository',
      (pieces) => pieces.filter(({ entry }) => entry.path.startsWith('sysroot')),
    ],
    ['have nothing but objects', (pieces) => pieces.filter(({ entry }) => /\/objects\/.*\./.test(entry.path))],
    ['have refs, and files named config anywhere in the repository', (pieces) => [...clutter(), ...pieces]],
    ['have its contents before its metadata', contentsFirst],
    ['have lists of attributes in the place of links to them', withListsInPlace],
    ['have a list of attributes and a content twice', (pieces) => [...pieces, ...pieces.filter(isContent)]],
  ];
  for (const [title, change] of variants) {
    it(title, async (t) => {
      const { repository: from, commit, stream } = await source(t);
      const changed = await written(change(await piecesOf(stream), commit));
      const repository = newRepository(t);
      assert.equal((await importInto(repository, changed)).commit, commit);
      assert.deepEqual(contentsOf(repository), contentsOf(from));
    });
  }

  it('lack objects that are here already', async (t) => {
    const { commit, stream } = await source(t);
    const { repository } = await source(t, { other: { inside: TREE } });
    const less = await tampered(stream, (piece) => (isContent(piece) || isTree(piece) ? [] : piece));
    assert.equal((await importInto(repository, less)).commit, commit);
    assert.deepEqual(await exported(repository, commit), stream);
  });

  it('give a file whatever attributes the objects say, not those of tar', async (t) => {
    const { commit, stream } = await source(t, { a: { content: 'a' } });
    const loud = await tampered(stream, (piece) =>
      endsWith('.file')(piece) ? withEntry(piece, { xattrs: [['user.other', Buffer.from('y')]] }) : piece,
    );
    const repository = newRepository(t);
    assert.equal((await importInto(repository, loud)).commit, commit);
    const reader = objectsOf(repository);
    const [{ checksum } = { checksum: '' }] = reader.dirTree(reader.commit(commit).rootTree).files;
    assert.deepEqual(reader.file(checksum).header.xattrs, []);
  });
});

const isContent = ({ entry }: Piece): boolean => /\.file(-xattrs(-link)?)?$/.test(entry.path);
const isTree = ({ entry }: Piece): boolean => /\.dir(tree|meta)$/.test(entry.path);

function prefixed(piece: Piece, prefix: string): Piece {
  const { path, type, linkTarget } = piece.entry;
  if (path === '.') return piece;
  const target = type === 'hardlink' ? `${prefix}${linkTarget}` : linkTarget;
  return withEntry(piece, { path: `${prefix}${path}`, linkTarget: target });
}

function clutter(): readonly Piece[] {
  const paths = ['refs/heads/os/main', 'refs/heads/config', 'tmp/cache/config', 'objects/config'];
  const entry = { type: 'file', mode: 0o644, uid: 0, gid: 0, linkTarget: undefined, xattrs: [] } as const;
  return paths.map((path) => ({ entry: { ...entry, path: `sysroot/ostree/repo/${path}` }, data: Buffer.from('x') }));
}

function contentsFirst(pieces: readonly Piece[], commit: string): readonly Piece[] {
  const head = pieces.filter(({ entry }) => entry.path.includes(commit.slice(2)));
  const rest = pieces.filter((piece) => !head.includes(piece));
  return [...head, ...rest.filter(isContent), ...rest.filter(isTree)];
}

function withListsInPlace(pieces: readonly Piece[]): readonly Piece[] {
  const lists = new Map(pieces.filter(endsWith('.file-xattrs')).map(({ entry, data }) => [entry.path, data] as const));
  assert.ok(lists.has(objectPath(sha256(encodeXattrs([])), 'file-xattrs')));
  return pieces
    .filter((piece) => !endsWith('.file-xattrs')(piece))
    .map((piece) => {
      const data = lists.get(piece.entry.linkTarget ?? '');
      return data === undefined ? piece : { ...withEntry(piece, { type: 'file', linkTarget: undefined }), data };
    });
}
