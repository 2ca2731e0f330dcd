/** Every row of the failure table that concerns a stream; the repository is the same before and after. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { codeOf, isPartial, listRefs, sha256 } from '../../../ostree/index.ts';
import { exported, newRepository, transact } from '../stream.fixture.ts';
import {
  endsWith,
  importInto,
  isUntouched,
  objectPiece,
  type Piece,
  piecesOf,
  withDamage,
  withEntry,
  written,
} from '../tampering.fixture.ts';
import { assertRefused, madeStream } from './refusals.fixture.ts';

type Change = (piece: Piece) => Piece | readonly Piece[];
/** This change for pieces whose names end so. */
const where =
  (ending: string, change: Change): Change =>
  (piece) =>
    endsWith(ending)(piece) ? change(piece) : piece;
const without = (ending: string): Change => where(ending, () => []);
/** Only the first of them. */
function first(ending: string, change: Change): Change {
  let isDone = false;
  return (piece) => {
    if (isDone || !endsWith(ending)(piece)) return piece;
    isDone = true;
    return change(piece);
  };
}
const isRegular = ({ entry }: Piece): boolean => entry.type === 'file';
const renamed = (piece: Piece, from: string | RegExp, to: string): Piece =>
  withEntry(piece, { path: piece.entry.path.replace(from, to) });
const garbage = Buffer.from('not what it should be');
const zeros = '0'.repeat(64);

const FLAWS: readonly (readonly [title: string, code: string, change: Change])[] = [
  ['does not begin with a commit', 'STREAM_NO_COMMIT', without('.commit')],
  ['has no object at all', 'STREAM_NO_COMMIT', ({ entry }) => (entry.path.includes('.') ? [] : skeleton(entry))],
  ['has a commit that was altered', 'OBJECT_CORRUPT', where('.commit', withDamage)],
  [
    'has a commit under another name',
    'OBJECT_CORRUPT',
    where('.commit', (piece) => renamed(piece, /..\.commit$/, '00.commit')),
  ],
  [
    'has a link in the place of a commit',
    'STREAM_MALFORMED',
    where('.commit', (piece) => ({ ...withEntry(piece, { type: 'symlink', linkTarget: 'x' }), data: Buffer.alloc(0) })),
  ],
  ['has its commit twice', 'STREAM_SECOND_COMMIT', where('.commit', (piece) => [piece, piece])],
  [
    'has another commit at its end',
    'STREAM_SECOND_COMMIT',
    where('var/tmp', (piece) => [piece, objectPiece(sha256(garbage), 'commit', garbage)]),
  ],
  [
    'has detached metadata of another commit',
    'STREAM_MISPLACED',
    where('.commit', (piece) => [piece, objectPiece(zeros, 'commitmeta', new Uint8Array())]),
  ],
  [
    'has detached metadata that are none',
    'OBJECT_MALFORMED',
    where('.commit', (piece) => [piece, renamed({ ...piece, data: garbage }, /\.commit$/, '.commitmeta')]),
  ],
  ['has a list of attributes that was altered', 'XATTRS_CORRUPT', first('.file-xattrs', withDamage)],
  [
    'has a list of attributes that is none',
    'OBJECT_MALFORMED',
    first('.file-xattrs', (piece) => [objectPiece(sha256(garbage), 'file-xattrs', garbage), piece]),
  ],
  ['has links to lists that it lacks', 'XATTRS_UNKNOWN', without('.file-xattrs')],
  [
    'has a link to attributes that leads elsewhere',
    'XATTRS_UNKNOWN',
    first('.file-xattrs-link', (piece) => withEntry(piece, { linkTarget: 'etc/passwd' })),
  ],
  [
    'has a link to attributes that leads out of it',
    'TAR_PATH',
    first('.file-xattrs-link', (piece) => withEntry(piece, { linkTarget: '/sysroot/ostree/repo/objects/../../etc' })),
  ],
  ['has files without attributes', 'XATTRS_MISSING', without('.file-xattrs-link')],
  ['has attributes without their file', 'XATTRS_DANGLING', without('.file')],
  [
    'has attributes of another file before a file',
    'XATTRS_DANGLING',
    first('.file-xattrs-link', (piece) => renamed(piece, /[0-9a-f]{2}\.file/, '00.file')),
  ],
  ['has attributes for a file twice', 'XATTRS_DANGLING', first('.file-xattrs-link', (piece) => [piece, piece])],
  [
    'ends with attributes for a file',
    'XATTRS_DANGLING',
    where('var/tmp', (piece) => [piece, objectPiece(zeros, 'file-xattrs-link', new Uint8Array())]),
  ],
  [
    'has a content that was altered',
    'OBJECT_CORRUPT',
    where('.file', (piece) => (isRegular(piece) ? withDamage(piece) : piece)),
  ],
  ['has a file of another mode', 'OBJECT_CORRUPT', first('.file', (piece) => withEntry(piece, { mode: 0o4755 }))],
  ['has a file of another user', 'OBJECT_CORRUPT', first('.file', (piece) => withEntry(piece, { uid: 1 }))],
  ['has a file of another group', 'OBJECT_CORRUPT', first('.file', (piece) => withEntry(piece, { gid: 1 }))],
  [
    'has a file with other attributes that it knows',
    'OBJECT_CORRUPT',
    where('.file-xattrs-link', (piece) => withEntry(piece, { type: 'file', linkTarget: undefined })),
  ],
  [
    'has a symbolic link to elsewhere',
    'OBJECT_CORRUPT',
    where('.file', (piece) => (isRegular(piece) ? piece : withEntry(piece, { linkTarget: 'c' }))),
  ],
  [
    'has an object that is a fifo',
    'STREAM_MALFORMED',
    first('.file', (piece) => ({ ...withEntry(piece, { type: 'fifo' }), data: Buffer.alloc(0) })),
  ],
  [
    'has an object that is a hard link',
    'STREAM_MALFORMED',
    first('.file', (piece) => ({
      ...withEntry(piece, { type: 'hardlink', linkTarget: 'usr/a' }),
      data: Buffer.alloc(0),
    })),
  ],
  ['has a dirtree that was altered', 'OBJECT_CORRUPT', first('.dirtree', withDamage)],
  ['has a dirmeta that was altered', 'OBJECT_CORRUPT', first('.dirmeta', withDamage)],
  [
    'has a dirtree that is none',
    'OBJECT_MALFORMED',
    first('.dirtree', (piece) => [piece, objectPiece(sha256(garbage), 'dirtree', garbage)]),
  ],
  ['lacks a dirtree', 'STREAM_INCOMPLETE', first('.dirtree', () => [])],
  ['lacks its dirmetas', 'STREAM_INCOMPLETE', without('.dirmeta')],
  [
    'lacks all contents',
    'STREAM_INCOMPLETE',
    ({ entry, ...rest }) => (/\.file/.test(entry.path) ? [] : { entry, ...rest }),
  ],
  ['has a path that leads out of it', 'TAR_PATH', where('usr/c', (piece) => withEntry(piece, { path: 'usr/../../c' }))],
  [
    'has an object path that leads out of it',
    'TAR_PATH',
    first('.dirtree', (piece) => renamed(piece, 'objects/', 'objects/../objects/')),
  ],
  [
    'has an object of an unknown kind',
    'STREAM_MALFORMED',
    first('.dirtree', (piece) => renamed(piece, 'dirtree', 'dirtrees')),
  ],
  ['has an object without a kind', 'STREAM_MALFORMED', first('.dirtree', (piece) => renamed(piece, '.dirtree', ''))],
  [
    'has an object with a name in upper case',
    'STREAM_MALFORMED',
    first('.dirtree', (piece) => renamed(piece, /[0-9a-f]{60}\.dirtree/, `${'A'.repeat(60)}.dirtree`)),
  ],
  [
    'has an object with a short name',
    'STREAM_MALFORMED',
    first('.dirtree', (piece) => renamed(piece, /.\.dirtree/, '.dirtree')),
  ],
  [
    'has an object deeper than others',
    'STREAM_MALFORMED',
    first('.dirtree', (piece) => renamed(piece, 'objects/', 'objects/x/')),
  ],
  ['has an archived object', 'STREAM_MALFORMED', first('.file', (piece) => renamed(piece, '.file', '.filez'))],
  [
    'has another file in its repository',
    'STREAM_MALFORMED',
    where('var/tmp', (piece) => withEntry(piece, { path: 'sysroot/ostree/repo/summary', type: 'file' })),
  ],
];

/** Neither objects nor files, for the paths with a dot are gone. */
function skeleton(entry: Piece['entry']): Piece {
  return { entry, data: Buffer.from(entry.path.endsWith('/config') ? 'c' : '') };
}

describe('an import is refused, and leaves the repository as it was, when the stream', () => {
  for (const [title, code, change] of FLAWS) {
    it(title, async (t) => {
      const { stream } = await madeStream(t, new Uint8Array());
      await assertRefused(t, await changed(stream, change), code);
    });
  }

  it('is empty', (t) => assertRefused(t, new Uint8Array(), 'STREAM_NO_COMMIT'));
  it('is no archive', (t) => assertRefused(t, Buffer.alloc(4096, 'text '), 'TAR_MALFORMED'));

  it('ends before its last object', async (t) => {
    const { stream } = await madeStream(t);
    const repository = newRepository(t);
    const codes = new Set<string | undefined>();
    // Behind the last object, which may go without its padding, are its file, a directory and the end of the archive.
    for (let at = 0; at < stream.length - 2560; at += at < 268 * 512 ? 20_480 : 256) {
      const cut = importInto(repository, stream.subarray(0, at), { dryRun: true });
      codes.add(await cut.then(() => `${at} of ${stream.length} suffice`, codeOf));
      assert.ok(isUntouched(repository));
    }
    const wanted = ['STREAM_INCOMPLETE', 'STREAM_NO_COMMIT', 'TAR_TRUNCATED', 'XATTRS_DANGLING'];
    assert.deepEqual([...codes].sort(), wanted);
  });
});

async function changed(stream: Uint8Array, change: Change): Promise<Buffer> {
  return written((await piecesOf(stream)).flatMap((piece) => change(piece)));
}

describe('an import of an incomplete commit', () => {
  it('keeps a commit partial that was partial, and its ref where it was', async (t) => {
    const { commit, stream } = await madeStream(t);
    const repository = newRepository(t);
    await transact(repository, (transaction) => transaction.beginPartial(commit));
    const less = await changed(
      stream,
      first('.dirmeta', () => []),
    );
    await assert.rejects(importInto(repository, less, { ref: 'os/main' }), { code: 'STREAM_INCOMPLETE' });
    assert.ok(isPartial(repository, commit));
    assert.deepEqual(listRefs(repository), []);
    await importInto(repository, stream, { ref: 'os/main' });
    assert.equal(isPartial(repository, commit), false);
    assert.equal(listRefs(repository)[0]?.commit, commit);
  });

  it('is followed by a whole one that succeeds', async (t) => {
    const { commit, stream } = await madeStream(t);
    const repository = newRepository(t);
    await assert.rejects(importInto(repository, stream.subarray(0, -1800)), { code: 'TAR_TRUNCATED' });
    assert.equal((await importInto(repository, stream)).commit, commit);
    assert.deepEqual(await exported(repository, commit), stream);
  });
});
